// A subnet's moving price: an exponential average of its spot price that starts slowly.
//
// Source: subtensor: staking/stake_utils.rs (update_moving_price). Thread safety: pure function.
#pragma once

#include <cstdint>

#include "chain/fixed/fixed.h"

namespace muster::chain {

// The average after one more block: alpha * b / (b + halving_blocks) of min(spot, 1), the rest of
// the old one. `blocks_since_start` counts from the owner's start call.
[[nodiscard]] I96F32 next_moving_price(I96F32 moving_price, U64F64 spot_price, I96F32 moving_alpha,
                                       std::uint64_t blocks_since_start,
                                       std::uint64_t halving_blocks);

}  // namespace muster::chain
