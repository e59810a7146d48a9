// Consensus: from validators' weights to incentives and dividends, in integers.
//
// Per miner the stake-weighted median of its weights; weights above it are clipped; incentive is
// proportional to the stake-weighted clipped weights, a validator's dividend to its stake times the share
// of its weight that survived clipping. (The shape of Yuma consensus without bonds.)
// Thread safety: pure functions. Determinism: integers only.
#pragma once

#include <cstdint>
#include <vector>

#include "base/types.h"

namespace muster::chain {

struct WeightRow {
  Uid validator;
  std::uint64_t stake = 0;
  std::vector<std::pair<Uid, std::uint16_t>> weights;  // ascending by uid, any scale
};

struct Payout {
  Uid uid;
  std::uint16_t share = 0;  // of 65535, within its half
  std::uint64_t rao = 0;
};

struct EpochResult {
  std::vector<Payout> miners;
  std::vector<Payout> validators;
};

// Pays `miner_rao` by incentive and `validator_rao` by dividends; what rounding leaves is not paid.
// Nothing is paid when no row has weight.
[[nodiscard]] EpochResult run_epoch(const std::vector<WeightRow>& rows, std::uint64_t miner_rao,
                                    std::uint64_t validator_rao);

}  // namespace muster::chain
