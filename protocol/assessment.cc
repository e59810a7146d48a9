#include "protocol/assessment.h"

#include <algorithm>
#include <string>

#include "base/cipher.h"
#include "base/limits.h"
#include "protocol/beacon.h"
#include "wire/codec.h"

namespace muster::protocol {
namespace {

CipherKey copy_key(const SigningKey& key, const Hash& run_id, Round round) {
  return round_secret(key, run_id, "muster/assessment-copy", round);
}

}  // namespace

Secret assessment_salt(const SigningKey& key, const Hash& run_id, Round round) {
  return round_secret(key, run_id, "muster/assessment-salt", round);
}

Hash assessment_hash(const Hash& run_id, const PublicKey& validator, const Assessment& assessment) {
  return tagged_hash("muster/assessment",
                     {run_id.bytes, validator.bytes, wire::encode(assessment)});
}

Bytes seal_copy(const SigningKey& key, const Hash& run_id, const Assessment& assessment) {
  Bytes copy = wire::encode(assessment);
  if (copy.size() > limits::kSealedCopyBytesMax) return {};
  aes256_ctr(copy_key(key, run_id, assessment.round), CipherIv{}, copy);
  return copy;
}

Result<Assessment> open_copy(const SigningKey& key, const Hash& run_id, Round round,
                             const Screen& screen) {
  Bytes copy = screen.sealed_copy;
  aes256_ctr(copy_key(key, run_id, round), CipherIv{}, copy);
  MUSTER_TRY(Assessment assessment, wire::decode<Assessment>(copy, "sealed copy of an assessment"));
  MUSTER_TRY_STATUS(validate(assessment));
  if (assessment.round != round ||
      assessment_hash(run_id, key.public_key(), assessment) != screen.assessment)
    return Error{Errc::kConflict, "the sealed copy in the Screen of round " +
                                      std::to_string(round.value) +
                                      " is not the assessment that it has the hash of"};
  return assessment;
}

Round opened_in(const ProtocolParams& params, Round round) {
  const std::uint64_t opened = round.value + params.verification.sealed_rounds;
  if (params.rounds == 0) return Round{opened};
  return Round{std::max(round.value, std::min<std::uint64_t>(opened, params.rounds - 1))};
}

}  // namespace muster::protocol
