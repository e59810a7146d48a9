#include "protocol/beacon.h"

#include "base/cipher.h"
#include "protocol/chain_head.h"

namespace muster::protocol {
namespace {

Bytes round_bytes(Round round) {
  ByteWriter writer;
  writer.write(round.value);
  return std::move(writer).take();
}

}  // namespace

Hash first_beacon(const Hash& run_id) { return tagged_hash("muster/beacon-0", run_id.bytes); }

Hash next_beacon(const Hash& beacon, const std::vector<std::pair<Uid, Secret>>& secrets) {
  ByteWriter revealed;
  for (const auto& [uid, secret] : secrets) {
    revealed.write(uid.value);
    revealed.append(secret);
  }
  return tagged_hash("muster/beacon", {beacon.bytes, revealed.bytes()});
}

Secret round_secret(const SigningKey& key, const Hash& run_id, std::string_view use, Round round) {
  ByteWriter info;
  info.append(bytes_of(use));
  info.write(round.value);
  Secret secret;
  hkdf_sha256(key.seed(), run_id.bytes, info.bytes(), secret);
  return secret;
}

Secret validator_secret(const SigningKey& key, const Hash& run_id, Round round) {
  return round_secret(key, run_id, "muster/validator-secret", round);
}

Hash secret_hash(const Hash& run_id, Round round, const PublicKey& validator,
                 const Secret& secret) {
  return tagged_hash("muster/secret-hash",
                     {run_id.bytes, round_bytes(round), validator.bytes, secret});
}

bool is_promised(const ChainHead& head, const PublicKey& validator, const Secret& secret) {
  return head.secret_hash_of(validator) ==
         secret_hash(head.position().run_id, head.round(), validator, secret);
}

}  // namespace muster::protocol
