// Cases of keys/1: SS58 addresses and Ed25519 signatures; the sr25519 kinds are for chains that
// sign with it.
#include "base/sign.h"
#include "chain/codec/ss58.h"
#include "tests/chain/vectors/bytes_fields.h"
#include "tests/chain/vectors/families.h"

namespace muster::chain::vectors {
namespace {

Verdict ss58(const json& test) {
  Verdict verdict;
  const auto decoded = ss58_decode(text(test, "address"));
  verdict.equal("valid", flag(test, "valid"), decoded.has_value());
  if (!decoded || !flag(test, "valid")) return verdict;
  const auto key = fixed_bytes<AccountId>(test, "public_key");
  verdict.equal("public_key", key.hex(), decoded->account.hex());
  verdict.equal("prefix", u16(test, "prefix"), decoded->prefix);
  verdict.equal("address", text(test, "address"), ss58_encode(key, u16(test, "prefix")));
  return verdict;
}

Verdict ed25519(const json& test) {
  Verdict verdict;
  Seed seed{};
  const Bytes bytes = hex(test, "seed");
  if (bytes.size() != seed.size()) throw Malformed("field 'seed' has another length");
  std::copy(bytes.begin(), bytes.end(), seed.begin());
  const SigningKey key(seed);
  const Bytes message = hex(test, "message");
  const Signature signature = key.sign(message);
  verdict.equal("public_key", text(test, "public_key"), key.public_key().hex());
  verdict.equal("signature", text(test, "signature"), to_hex(signature.bytes));
  verdict.equal("verified", true, verify_signature(key.public_key(), message, signature));
  verdict.equal("address", text(test, "address"), ss58_encode(key.public_key()));
  return verdict;
}

Verdict ed25519_verify(const json& test) {
  Verdict verdict;
  verdict.equal("valid", flag(test, "valid"),
                verify_signature(fixed_bytes<PublicKey>(test, "public_key"), hex(test, "message"),
                                 fixed_bytes<Signature>(test, "signature")));
  return verdict;
}

}  // namespace

Verdict check_keys_case(const json& test) {
  const std::string& kind = text(test, "kind");
  if (kind == "ss58") return ss58(test);
  if (kind == "ed25519") return ed25519(test);
  if (kind == "ed25519_verify") return ed25519_verify(test);
  if (kind.starts_with("sr25519_") || kind == "merlin") return Verdict::skipped(kind);
  return Verdict::unknown_kind(kind);
}

}  // namespace muster::chain::vectors
