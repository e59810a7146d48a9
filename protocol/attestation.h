// Attestations: which state the validators, each computing its own, agree on.
//
// Thread safety: pure functions.
#pragma once

#include <optional>

#include "protocol/ledger_client.h"
#include "protocol/round_record.h"

namespace muster::protocol {

// What validators holding more than half of the stake in `stakes` attest about the parent manifest
// of `position`, without the ledger's heads, which may differ; none without such a majority.
[[nodiscard]] std::optional<Attest> attested_by_majority(const Position& position,
                                                         const std::vector<Bytes>& attestations,
                                                         const ValidatorStakes& stakes);

// The same among the validators of a round's roster, from the attestations that it carries.
[[nodiscard]] std::optional<Attest> majority_attestation(const Position& position,
                                                         const RoundOpen& open);

}  // namespace muster::protocol
