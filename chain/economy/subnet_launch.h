// What a new subnet costs and the pool it starts with.
//
// Source: subtensor: coinbase/root.rs (get_network_lock_cost, get_lock_reduction_interval),
// staking/stake_utils.rs (get_median_subnet_alpha_price), subnets/subnet.rs (do_register_network).
// Thread safety: pure functions.
#pragma once

#include <cstdint>
#include <span>

#include "chain/fixed/fixed.h"

namespace muster::chain {

// The interval over which a lock loses its own amount: it shrinks with each halving of the block
// emission.
[[nodiscard]] std::uint64_t lock_reduction_interval(std::uint64_t interval_blocks,
                                                    std::uint64_t block_emission);

struct LastLock {
  std::uint64_t amount = 0;  // rao
  std::uint64_t block = 0;   // 0 where no subnet was registered yet
};

// Twice the last lock (once where there was none) less what time takes off, but at least `least`.
[[nodiscard]] std::uint64_t lock_cost(const LastLock& last, std::uint64_t block,
                                      std::uint64_t reduction_interval, std::uint64_t least);

// The median of the positive prices, the mean of the two middle ones; one where there is none.
[[nodiscard]] U64F64 median_price(std::span<const U64F64> prices);

struct LaunchReserves {
  std::uint64_t tao = 0;
  std::uint64_t alpha = 0;
};
// The lock, or the least lock where that is more, and as much alpha as it is worth at `price`.
[[nodiscard]] LaunchReserves launch_reserves(std::uint64_t lock, std::uint64_t lock_min,
                                             U64F64 price);

}  // namespace muster::chain
