// The price of a neuron's registration: it halves over a half-life and jumps with every
// registration.
//
// Source: subtensor: subnets/registration.rs (update_registration_prices_for_networks,
// bump_registration_price_after_registration), utils/misc.rs (decay_factor_q32). Thread safety:
// plain values, pure functions.
#pragma once

#include <cstdint>

#include "chain/fixed/fixed.h"

namespace muster::chain {

struct BurnLimits {
  std::uint64_t least = 500'000;  // rao
  std::uint64_t most = 100'000'000'000;
};

// The factor per block, in 2^-32, whose half_life-th power is the largest not above one half; 2^32
// for no half-life.
[[nodiscard]] std::uint64_t burn_decay_factor(std::uint16_t half_life_blocks);

// The price that `block` opens with. Block 1 decays nothing. Cost: the factor takes 32 powers; pass
// it to the second form where many subnets share it.
[[nodiscard]] std::uint64_t burn_after_block(std::uint64_t burn, std::uint16_t half_life_blocks,
                                             std::uint64_t block, const BurnLimits& limits);
[[nodiscard]] std::uint64_t burn_after_decay(std::uint64_t burn, std::uint64_t factor,
                                             const BurnLimits& limits);

// The price after one registration. A multiplier below one counts as one.
[[nodiscard]] std::uint64_t burn_after_registration(std::uint64_t burn, U64F64 multiplier,
                                                    const BurnLimits& limits);

}  // namespace muster::chain
