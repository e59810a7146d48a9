// Assessments, sealed by their hash and opened some rounds later.
//
// The salt is derived from the hotkey, so that a validator that lost it to a crash seals the same again.
// Thread safety: pure functions.
#pragma once

#include "protocol/messages.h"
#include "protocol/params.h"

namespace muster::protocol {

[[nodiscard]] Secret assessment_salt(const SigningKey& key, const Hash& run_id, Round round);
[[nodiscard]] Hash assessment_hash(const Hash& run_id, const PublicKey& validator, const Assessment& assessment);

// The round whose Screen opens what a Screen of `round` sealed: `verify.sealed_rounds` later, the run's last one at the
// latest.
[[nodiscard]] Round opened_in(const ProtocolParams& params, Round round);

}  // namespace muster::protocol
