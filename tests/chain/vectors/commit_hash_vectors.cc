// Cases of commit/1: what commits to weights, and drand's rounds.
#include "chain/codec/commit_hash.h"
#include "chain/codec/drand.h"
#include "tests/chain/vectors/bytes_fields.h"
#include "tests/chain/vectors/families.h"

namespace muster::chain::vectors {
namespace {

Verdict hash_v2(const json& test) {
  Verdict verdict;
  const auto hotkey = fixed_bytes<AccountId>(test, "hotkey_public");
  verdict.equal("hotkey", text(test, "hotkey"), ss58_encode(hotkey));
  const auto uids = integers<std::uint16_t>(test, "uids");
  const auto values = integers<std::uint16_t>(test, "values");
  const auto salt = integers<std::uint16_t>(test, "salt");
  const std::uint64_t version_key = u64(test, "version_key");
  ScaleWriter preimage;
  preimage(hotkey, u16(test, "netuid_index"), uids, values, salt, version_key);
  verdict.equal("preimage", text(test, "preimage"), to_hex(preimage.bytes()));
  verdict.equal(
      "expected", text(test, "expected"),
      weights_commit_hash(hotkey, u16(test, "netuid_index"), uids, values, salt, version_key)
          .hex());
  return verdict;
}

Verdict plaintext_v4(const json& test) {
  Verdict verdict;
  verdict.equal(
      "expected", text(test, "expected"),
      to_hex(timelocked_plaintext(
          fixed_bytes<AccountId>(test, "hotkey_public"), integers<std::uint16_t>(test, "uids"),
          integers<std::uint16_t>(test, "values"), u64(test, "version_key"))));
  return verdict;
}

Verdict round_at(const json& test) {
  Verdict verdict;
  const auto round = drand_round_at(u64(test, "unix_time"));
  verdict.equal("expected", u64(test, "expected"), round.value_or(0));
  return verdict;
}

Verdict identity(const json& test) {
  Verdict verdict;
  verdict.equal("expected", text(test, "expected"), drand_identity(u64(test, "round")).hex());
  return verdict;
}

}  // namespace

Verdict check_commit_case(const json& test) {
  const std::string& kind = text(test, "kind");
  if (kind == "commit_hash_v2") return hash_v2(test);
  if (kind == "timelock_plaintext_v4") return plaintext_v4(test);
  if (kind == "drand_round_at") return round_at(test);
  if (kind == "drand_identity") return identity(test);
  return Verdict::unknown_kind(kind);
}

}  // namespace muster::chain::vectors
