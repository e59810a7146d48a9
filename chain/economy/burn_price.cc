#include "chain/economy/burn_price.h"

#include <algorithm>

namespace muster::chain {
namespace {

constexpr std::uint64_t kOne = std::uint64_t{1} << 32;

// The upper limit wins over the lower one.
std::uint64_t clamped(std::uint64_t burn, const BurnLimits& limits) {
  return std::min(std::max(burn, limits.least), limits.most);
}

std::uint64_t times(std::uint64_t value, std::uint64_t factor) {
  return static_cast<std::uint64_t>(std::min<Uint128>((Uint128{value} * factor) >> 32, UINT64_MAX));
}

std::uint64_t power(std::uint64_t factor, std::uint16_t exponent) {
  std::uint64_t result = kOne;
  for (unsigned rest = exponent; rest > 0; rest >>= 1) {
    if ((rest & 1) != 0) result = times(result, factor);
    if (rest > 1) factor = times(factor, factor);
  }
  return result;
}

}  // namespace

std::uint64_t burn_decay_factor(std::uint16_t half_life_blocks) {
  if (half_life_blocks == 0) return kOne;
  std::uint64_t low = 0;
  std::uint64_t high = kOne;
  while (low + 1 < high) {
    const std::uint64_t middle = low + (high - low) / 2;
    (power(middle, half_life_blocks) > kOne / 2 ? high : low) = middle;
  }
  return low;
}

std::uint64_t burn_after_block(std::uint64_t burn, std::uint16_t half_life_blocks,
                               std::uint64_t block, const BurnLimits& limits) {
  const bool decays = half_life_blocks > 0 && block > 1;
  return burn_after_decay(burn, decays ? burn_decay_factor(half_life_blocks) : kOne, limits);
}

std::uint64_t burn_after_decay(std::uint64_t burn, std::uint64_t factor, const BurnLimits& limits) {
  return clamped(times(burn, factor), limits);
}

std::uint64_t burn_after_registration(std::uint64_t burn, U64F64 multiplier,
                                      const BurnLimits& limits) {
  const U64F64 raised = fixed_from<U64F64>(burn) * std::max(multiplier, U64F64::one());
  return clamped(integer_from<std::uint64_t>(raised), limits);
}

}  // namespace muster::chain
