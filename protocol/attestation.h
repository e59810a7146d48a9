// Attestations: which state roots the validators, each hashing its own θ, agree on.
//
// Thread safety: pure functions.
#pragma once

#include <optional>

#include "protocol/round_record.h"

namespace muster::protocol {

// What validators holding more than half of the roster's validator stake attest about the parent
// manifest of `position`, from the Attest messages in `open`; none without such a majority.
[[nodiscard]] std::optional<Attest> majority_attestation(const Position& position,
                                                         const RoundOpen& open);

}  // namespace muster::protocol
