// Assessments, sealed by their hash and opened some rounds later.
//
// Salt and cipher key are derived from the hotkey: a validator that crashes seals the same again,
// and one that loses its folder finds what it must open in its own Screens. Thread safety: pure
// functions.
#pragma once

#include "protocol/messages.h"
#include "protocol/params.h"

namespace muster::protocol {

[[nodiscard]] Secret assessment_salt(const SigningKey& key, const Hash& run_id, Round round);
[[nodiscard]] Hash assessment_hash(const Hash& run_id, const PublicKey& validator,
                                   const Assessment& assessment);

// The assessment, enciphered for its own validator. Empty if it would be over
// limits::kSealedCopyBytesMax.
[[nodiscard]] Bytes seal_copy(const SigningKey& key, const Hash& run_id,
                              const Assessment& assessment);
// Errors: those of decoding, kConflict (not what the Screen of `round` sealed).
[[nodiscard]] Result<Assessment> open_copy(const SigningKey& key, const Hash& run_id, Round round,
                                           const Screen& screen);

// The round whose Screen opens what a Screen of `round` sealed: `verify.sealed_rounds` later, the
// run's last one at the latest.
[[nodiscard]] Round opened_in(const ProtocolParams& params, Round round);

}  // namespace muster::protocol
