#include "chain/economy/emission_gate.h"

#include <algorithm>

#include "chain/fixed/transcendental.h"

namespace muster::chain {
namespace {

U64F64 share_of_rank(std::span<const U64F64> descending, std::uint16_t rank) {
  const auto positive_end = std::find(descending.begin(), descending.end(), U64F64::zero());
  const auto positive = static_cast<std::size_t>(positive_end - descending.begin());
  if (positive == 0) return U64F64::zero();
  return descending[std::min<std::size_t>(rank, positive) - 1];
}

U64F64 share_at_quantile(std::span<const U64F64> descending, U64F64 quantile) {
  U64F64 sum;
  U64F64 crossing;
  for (const U64F64 share : descending) {
    sum = sum + share;
    crossing = share;
    if (sum >= quantile) break;
  }
  return crossing;
}

}  // namespace

U64F64 gate_bar(std::span<const U64F64> shares, const GateParameters& parameters, U64F64 stored,
                std::uint64_t block) {
  if (stored > U64F64::zero() && block % kGateBarInterval != 0) return stored;
  std::vector<U64F64> descending(shares.begin(), shares.end());
  std::sort(descending.begin(), descending.end(), std::greater<>());
  const U64F64 bar = parameters.rank > 0 ? share_of_rank(descending, parameters.rank)
                                         : share_at_quantile(descending, parameters.quantile);
  return bar > U64F64::zero() ? bar : stored;
}

std::vector<U64F64> gated_shares(std::span<const U64F64> shares, U64F64 bar, U64F64 exponent) {
  std::vector<U64F64> gated(shares.begin(), shares.end());
  if (bar == U64F64::zero()) return gated;
  U64F64 sum;
  for (U64F64& share : gated) {
    if (share > U64F64::zero()) {
      const U64F64 power = pow_safe(safe_div(bar, share), exponent);
      share = share * safe_div(U64F64::one(), U64F64::one() + power);
    }
    sum = sum + share;
  }
  if (sum == U64F64::zero()) return {shares.begin(), shares.end()};
  for (U64F64& share : gated) share = safe_div(share, sum);
  return gated;
}

}  // namespace muster::chain
