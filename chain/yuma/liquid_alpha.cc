#include "chain/yuma/liquid_alpha.h"

#include <algorithm>

#include "chain/fixed/transcendental.h"

namespace muster::chain {
namespace {

// `high` first: with high < low the result is `low`.
constexpr I32F32 clamped(I32F32 value, I32F32 low, I32F32 high) {
  return std::max(std::min(value, high), low);
}

}  // namespace

LiquidAlpha LiquidAlpha::from_parameters(std::uint16_t low, std::uint16_t high,
                                         std::int16_t steepness) {
  return {fixed_from_proportion(low), fixed_from_proportion(high),
          saturating_div(fixed_from<I32F32>(steepness), fixed_from<I32F32>(-100))};
}

I32F32 liquid_alpha(const LiquidAlpha& parameters, I32F32 consensus, I32F32 weight, I32F32 bond) {
  constexpr I32F32 kZero = I32F32::zero();
  constexpr I32F32 kOne = I32F32::one();
  constexpr I32F32 kHalf = I32F32::from_bits(kOne.bits / 2);
  const I32F32 distance = weight >= bond ? clamped(weight - consensus, kZero, kOne)
                                         : clamped(bond - weight, kZero, kOne);
  const I32F32 power = exp_safe(parameters.slope * (distance - kHalf));
  const I32F32 sigmoid = saturating_div(kOne, kOne + power);
  const I32F32 alpha = parameters.low + sigmoid * (parameters.high - parameters.low);
  return clamped(alpha, parameters.low, parameters.high);
}

}  // namespace muster::chain
