// Subnets as emission cases describe them: lists of moving prices, burned parts and switches.
// Thread safety: pure.
#pragma once

#include <vector>

#include "chain/economy/emission_shares.h"
#include "tests/chain/vectors/json_fields.h"

namespace muster::chain::vectors {

// Stored as I96F32, from a decimal.
[[nodiscard]] inline U64F64 moving_price_of(double price) {
  return fixed_from<U64F64>(fixed_from_number<I96F32>(price));
}

[[nodiscard]] inline std::vector<SubnetDemand> demand_of(const json& test) {
  const auto prices = numbers(test, "moving_prices");
  const auto burned = numbers(test, "miner_burned");
  const auto enabled = integers<std::uint16_t>(test, "emission_enabled");
  if (burned.size() != prices.size() || enabled.size() != prices.size())
    throw Malformed("the lists of subnets differ in length");
  std::vector<SubnetDemand> subnets;
  for (std::size_t i = 0; i < prices.size(); ++i)
    subnets.push_back(
        {moving_price_of(prices[i]), fixed_from_number<U96F32>(burned[i]), enabled[i] != 0});
  return subnets;
}

}  // namespace muster::chain::vectors
