#include "chain/economy/subnet_launch.h"

#include <algorithm>
#include <vector>

#include "chain/economy/block_emission.h"

namespace muster::chain {
namespace {

std::uint64_t saturating_product(std::uint64_t a, std::uint64_t b) {
  std::uint64_t product;
  return __builtin_mul_overflow(a, b, &product) ? UINT64_MAX : product;
}

}  // namespace

std::uint64_t lock_reduction_interval(std::uint64_t interval_blocks, std::uint64_t block_emission) {
  const I64F64 halved =
      safe_div(fixed_from<I64F64>(block_emission), fixed_from<I64F64>(kFirstBlockEmission));
  return integer_from<std::uint64_t>(fixed_from<I64F64>(interval_blocks) * halved);
}

std::uint64_t lock_cost(const LastLock& last, std::uint64_t block, std::uint64_t reduction_interval,
                        std::uint64_t least) {
  const std::uint64_t full = saturating_product(last.amount, last.block == 0 ? 1 : 2);
  const std::uint64_t per_block = reduction_interval == 0 ? 0 : last.amount / reduction_interval;
  const std::uint64_t passed = block > last.block ? block - last.block : 0;
  const std::uint64_t reduction = saturating_product(per_block, passed);
  return std::max(full > reduction ? full - reduction : 0, least);
}

U64F64 median_price(std::span<const U64F64> prices) {
  std::vector<U64F64> positive;
  for (const U64F64 price : prices)
    if (price > U64F64::zero()) positive.push_back(price);
  if (positive.empty()) return U64F64::one();
  std::sort(positive.begin(), positive.end());
  const U64F64 lower = positive[(positive.size() - 1) / 2];
  const U64F64 upper = positive[positive.size() / 2];
  if (positive.size() % 2 == 1) return upper;
  return safe_div(lower + upper, fixed_from<U64F64>(2));
}

LaunchReserves launch_reserves(std::uint64_t lock, std::uint64_t lock_min, U64F64 price) {
  const std::uint64_t tao = std::max(lock, lock_min);
  return {tao, integer_from<std::uint64_t>(safe_div(fixed_from<U64F64>(tao), price))};
}

}  // namespace muster::chain
