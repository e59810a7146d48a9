#include "protocol/assessment.h"

#include <algorithm>

#include "protocol/beacon.h"
#include "wire/codec.h"

namespace muster::protocol {

Secret assessment_salt(const SigningKey& key, const Hash& run_id, Round round) {
  return round_secret(key, run_id, "muster/assessment-salt", round);
}

Hash assessment_hash(const Hash& run_id, const PublicKey& validator, const Assessment& assessment) {
  return tagged_hash("muster/assessment", {run_id.bytes, validator.bytes, wire::encode(assessment)});
}

Round opened_in(const ProtocolParams& params, Round round) {
  const std::uint64_t opened = round.value + params.verification.sealed_rounds;
  if (params.rounds == 0) return Round{opened};
  return Round{std::max(round.value, std::min<std::uint64_t>(opened, params.rounds - 1))};
}

}  // namespace muster::protocol
