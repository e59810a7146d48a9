// Cases of protocol/1: the bytes that a client and a chain exchange.
#include "chain/codec/blake2b.h"
#include "chain/codec/signed_extrinsic.h"
#include "chain/codec/storage_key.h"
#include "chain/codec/twox.h"
#include "tests/chain/vectors/bytes_fields.h"
#include "tests/chain/vectors/families.h"

namespace muster::chain::vectors {
namespace {

Verdict compact(const json& test) {
  Verdict verdict;
  const auto value = integer<std::uint64_t>(test, "value");
  verdict.equal("encoded", text(test, "encoded"),
                to_hex(scale_encode(Compact<std::uint64_t>{value})));
  const auto decoded = scale_decode<Compact<std::uint64_t>>(hex(test, "encoded"));
  verdict.equal("decoded", value, decoded ? decoded->value : ~value);
  return verdict;
}

Verdict mortal_era(const json& test) {
  Verdict verdict;
  const std::uint64_t current = u64(test, "current");
  const Era era = Era::mortal(u64(test, "period"), current);
  verdict.equal("expected_period", u64(test, "expected_period"), era.period());
  verdict.equal("expected_phase", u64(test, "expected_phase"), era.phase());
  verdict.equal("encoded", text(test, "encoded"), to_hex(scale_encode(era)));
  if (test.contains("birth_block"))
    verdict.equal("birth_block", u64(test, "birth_block"), era.birth(current));
  const auto decoded = scale_decode<Era>(hex(test, "encoded"));
  verdict.equal("decoded", true, decoded && *decoded == era);
  return verdict;
}

// The call that a case describes by name and arguments.
RuntimeCall described_call(const std::string& name, const json& args) {
  const Netuid netuid = u16(args, "netuid");
  if (name.starts_with("set_weights"))
    return SetWeights{netuid, integers<std::uint16_t>(args, "dests"),
                      integers<std::uint16_t>(args, "weights"), u64(args, "version_key")};
  if (name == "commit_weights")
    return CommitWeights{netuid, fixed_bytes<Hash>(args, "commit_hash")};
  if (name == "reveal_weights")
    return RevealWeights{netuid, integers<std::uint16_t>(args, "uids"),
                         integers<std::uint16_t>(args, "values"),
                         integers<std::uint16_t>(args, "salt"), u64(args, "version_key")};
  if (name == "commit_timelocked_weights")
    return CommitTimelockedWeights{netuid,
                                   {hex(args, "commit")},
                                   u64(args, "reveal_round"),
                                   u16(args, "commit_reveal_version")};
  if (name == "serve_axon")
    return ServeAxon{netuid,
                     integer<std::uint32_t>(args, "version"),
                     integer<Uint128>(args, "ip_u128"),
                     u16(args, "port"),
                     integer<std::uint8_t>(args, "ip_type"),
                     integer<std::uint8_t>(args, "protocol"),
                     integer<std::uint8_t>(args, "placeholder1"),
                     integer<std::uint8_t>(args, "placeholder2")};
  if (name == "burned_register")
    return BurnedRegister{netuid, fixed_bytes<AccountId>(args, "hotkey")};
  if (name == "set_commitment_raw") {
    SetCommitment call{netuid, {}};
    for (const json& field : array_of(member(args, "fields"), "fields"))
      call.data.push_back(CommitmentData::raw(hex(field, "Raw")));
    return call;
  }
  throw Malformed("no call is known for '" + name + "'");
}

Verdict call(const json& test) {
  Verdict verdict;
  const RuntimeCall expected = described_call(text(test, "name"), member(test, "args"));
  verdict.equal("encoded", text(test, "encoded"), to_hex(encode_call(expected)));
  const auto decoded = decode_call(hex(test, "encoded"));
  verdict.equal("decoded", true, decoded && *decoded == expected);
  return verdict;
}

Era era_of(const json& value) {
  if (value.is_string()) {
    if (string_of(value, "era") != "immortal") throw Malformed("field 'era' is unknown");
    return {};
  }
  return Era::mortal(u64(value, "period"), u64(value, "current"));
}

Verdict signed_extrinsic(const json& test) {
  Verdict verdict;
  const Bytes bytes = hex(test, "extrinsic");
  const auto decoded = decode_extrinsic(bytes);
  if (!decoded) {
    verdict.add("extrinsic", "decodes", decoded.error().message);
    return verdict;
  }
  verdict.equal("extrinsic", text(test, "extrinsic"), to_hex(encode_extrinsic(*decoded)));
  verdict.equal("extrinsic_hash", text(test, "extrinsic_hash"), extrinsic_hash(bytes).hex());
  verdict.equal("signer", text(test, "public_key"), decoded->signer.hex());
  verdict.equal("nonce", integer<std::uint32_t>(test, "nonce"), decoded->nonce);
  verdict.equal("tip", u64(test, "tip"), decoded->tip_rao);
  verdict.equal("era", true, era_of(member(test, "era")) == decoded->era);
  const SigningContext context{integer<std::uint32_t>(test, "spec_version"),
                               integer<std::uint32_t>(test, "transaction_version"),
                               fixed_bytes<Hash>(test, "genesis_hash"),
                               fixed_bytes<Hash>(test, "birth_hash")};
  verdict.equal("sign_input", text(test, "sign_input"), to_hex(signing_payload(*decoded, context)));
  const bool is_ed25519 = text(test, "signer") == "ed25519";
  const auto verdict_of_signature = verify_extrinsic(*decoded, context);
  verdict.equal(
      "signature",
      static_cast<int>(is_ed25519 ? SignatureVerdict::kGood : SignatureVerdict::kUnsupportedScheme),
      static_cast<int>(verdict_of_signature));
  if (!is_ed25519) return verdict;
  Seed seed{};
  const Bytes seed_bytes = hex(test, "seed");
  if (seed_bytes.size() != seed.size()) throw Malformed("field 'seed' has another length");
  std::copy(seed_bytes.begin(), seed_bytes.end(), seed.begin());
  const SignedExtrinsic signed_here = sign_call(decoded->call, SigningKey(seed), decoded->nonce,
                                                context, decoded->era, decoded->tip_rao);
  verdict.equal("signed here", text(test, "extrinsic"), to_hex(encode_extrinsic(signed_here)));
  return verdict;
}

Verdict blake2b(const json& test) {
  Verdict verdict;
  const Bytes input = hex(test, "input");
  const std::uint64_t length = u64(test, "output_length");
  if (length != 16 && length != 32 && length != 64) throw Malformed("an output length not in use");
  verdict.equal("expected", text(test, "expected"),
                length == 16   ? to_hex(blake2b_128(input))
                : length == 32 ? blake2b_256(input).hex()
                               : to_hex(blake2b_512(input)));
  return verdict;
}

const std::string kAlice = "d43593c715fdd31c61141abd04a99fd6822c8558854ccde39a5684e7a56da27d";

// A key is described as HASHER, any words, and a number or "Alice".
Verdict storage_key(const json& test) {
  Verdict verdict;
  StorageKey key(text(test, "pallet"), text(test, "item"));
  for (const json& description : array_of(member(test, "keys"), "keys")) {
    const std::string& words = string_of(description, "keys");
    const std::string hasher = words.substr(0, words.find(' '));
    const std::string value = words.substr(words.rfind(' ') + 1);
    Bytes bytes;
    if (value == "Alice") {
      bytes = from_hex(kAlice).value();
    } else {
      const auto number = integer_of<std::uint16_t>(json(value), "keys");
      bytes = {static_cast<std::uint8_t>(number), static_cast<std::uint8_t>(number >> 8)};
    }
    if (hasher == "Identity") {
      key.identity(bytes);
    } else if (hasher == "Twox64Concat") {
      key.twox64_concat(bytes);
    } else if (hasher == "Blake2_128Concat") {
      key.blake2_128_concat(bytes);
    } else {
      throw Malformed("an unknown hasher: " + hasher);
    }
  }
  verdict.equal("expected", text(test, "expected"), to_hex(key.bytes()));
  return verdict;
}

}  // namespace

Verdict check_protocol_case(const json& test) {
  const std::string& kind = text(test, "kind");
  if (kind == "compact") return compact(test);
  if (kind == "mortal_era") return mortal_era(test);
  if (kind == "call") return call(test);
  if (kind == "signed_extrinsic") return signed_extrinsic(test);
  if (kind == "blake2b") return blake2b(test);
  if (kind == "storage_key") return storage_key(test);
  if (kind != "twox128") return Verdict::unknown_kind(kind);
  Verdict verdict;
  verdict.equal("expected", text(test, "expected"), to_hex(twox128(bytes_of(text(test, "input")))));
  return verdict;
}

}  // namespace muster::chain::vectors
