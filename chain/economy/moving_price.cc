#include "chain/economy/moving_price.h"

#include <algorithm>

namespace muster::chain {

I96F32 next_moving_price(I96F32 moving_price, U64F64 spot_price, I96F32 moving_alpha,
                         std::uint64_t blocks_since_start, std::uint64_t halving_blocks) {
  const auto blocks = fixed_from<U64F64>(blocks_since_start);
  const U64F64 alpha = fixed_from<U64F64>(moving_alpha) *
                       safe_div(blocks, blocks + fixed_from<U64F64>(halving_blocks));
  const U64F64 fresh = alpha * std::min(spot_price, U64F64::one());
  const U64F64 kept = (U64F64::one() - alpha) * fixed_from<U64F64>(moving_price);
  return fixed_from<I96F32>(fresh + kept);
}

}  // namespace muster::chain
