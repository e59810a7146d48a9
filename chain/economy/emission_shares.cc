#include "chain/economy/emission_shares.h"

#include <algorithm>

#include "base/check.h"

namespace muster::chain {
namespace {

U64F64 saturating_sum(std::span<const U64F64> values) {
  U64F64 sum;
  for (const U64F64 value : values) sum = sum + value;
  return sum;
}

}  // namespace

std::vector<U64F64> emission_shares(std::span<const SubnetDemand> subnets) {
  U64F64 price_sum;
  for (const SubnetDemand& subnet : subnets) price_sum = price_sum + subnet.moving_price;

  std::vector<U64F64> by_price;
  std::vector<U64F64> weighted;
  for (const SubnetDemand& subnet : subnets) {
    by_price.push_back(safe_div(subnet.moving_price, price_sum));
    const U64F64 burned = std::min(fixed_from<U64F64>(subnet.miner_burned), U64F64::one());
    weighted.push_back(by_price.back() * (U64F64::one() - burned));
  }
  const U64F64 sum = saturating_sum(weighted);
  if (sum == U64F64::zero()) return by_price;
  for (U64F64& share : weighted) share = safe_div(share, sum);
  return weighted;
}

std::vector<U64F64> enabled_shares(std::span<const U64F64> shares,
                                   std::span<const SubnetDemand> subnets) {
  MUSTER_CHECK(shares.size() == subnets.size(), "a share per subnet");
  std::vector<U64F64> result(shares.begin(), shares.end());
  const auto is_enabled = [](const SubnetDemand& subnet) { return subnet.emission_enabled; };
  if (std::all_of(subnets.begin(), subnets.end(), is_enabled)) return result;
  for (std::size_t i = 0; i < result.size(); ++i)
    if (!subnets[i].emission_enabled) result[i] = U64F64::zero();
  const U64F64 sum = saturating_sum(result);
  for (U64F64& share : result) share = safe_div(share, sum);
  return result;
}

U96F32 emission_for_share(U96F32 block_emission, U64F64 share) {
  return fixed_from<U96F32>(fixed_from<U64F64>(block_emission) * share);
}

bool root_alpha_is_paid(std::span<const U64F64> moving_prices) {
  return wrapping_sum(moving_prices) > U64F64::one();
}

}  // namespace muster::chain
