#include "chain/fixed/safe_float.h"

#include <algorithm>

#include "base/check.h"

namespace muster::chain {
namespace {

// 10^exponent, but at most 10^22: beyond that every mantissa is zero or more than fits anyway.
Uint128 capped_power_of_ten(std::uint64_t exponent) {
  Uint128 power = 1;
  for (std::uint64_t i = std::min<std::uint64_t>(exponent, 22); i > 0; --i) power *= 10;
  return power;
}

std::int64_t saturating_difference(std::int64_t a, std::int64_t b) {
  std::int64_t difference;
  if (!__builtin_sub_overflow(a, b, &difference)) return difference;
  return a < b ? INT64_MIN : INT64_MAX;
}

// Both mantissas at the larger of the two exponents.
struct Aligned {
  Uint128 left;
  Uint128 right;
  std::int64_t exponent;
};

Aligned align(const SafeFloat& a, const SafeFloat& b) {
  if (a.exponent() >= b.exponent()) {
    const std::int64_t gap = saturating_difference(a.exponent(), b.exponent());
    return {a.mantissa(), b.mantissa() / capped_power_of_ten(static_cast<std::uint64_t>(gap)),
            a.exponent()};
  }
  const std::int64_t gap = saturating_difference(b.exponent(), a.exponent());
  return {a.mantissa() / capped_power_of_ten(static_cast<std::uint64_t>(gap)), b.mantissa(),
          b.exponent()};
}

}  // namespace

SafeFloat::SafeFloat(std::uint64_t integer) {
  const auto value = normalized({0, integer}, 0);
  MUSTER_CHECK(value.has_value(), "an exponent of a 64-bit integer overflows");
  *this = *value;
}

std::optional<SafeFloat> SafeFloat::from_parts(Uint128 mantissa, std::int64_t exponent) {
  const bool is_normal = mantissa > kMantissaMax / 10 && mantissa <= kMantissaMax;
  if (!is_normal && !(mantissa == 0 && exponent == 0)) return std::nullopt;
  SafeFloat value;
  value.mantissa_ = mantissa;
  value.exponent_ = exponent;
  return value;
}

std::optional<SafeFloat> SafeFloat::normalized(U256 mantissa, std::int64_t exponent) {
  SafeFloat value;
  if (mantissa.is_zero()) return value;
  while (mantissa > U256{0, kMantissaMax}) {
    if (exponent == INT64_MAX) return std::nullopt;
    mantissa = wide_divide(mantissa, 10).quotient;
    ++exponent;
  }
  while (mantissa.low <= kMantissaMax / 10) {
    if (exponent == INT64_MIN) return std::nullopt;
    mantissa.low *= 10;
    --exponent;
  }
  value.mantissa_ = mantissa.low;
  value.exponent_ = exponent;
  return value;
}

std::uint64_t SafeFloat::to_u64() const {
  const std::uint64_t size = exponent_ < 0
                                 ? std::uint64_t{0} - static_cast<std::uint64_t>(exponent_)
                                 : static_cast<std::uint64_t>(exponent_);
  const Uint128 scale = capped_power_of_ten(size);
  const U256 value = exponent_ > 0 ? wide_multiply(mantissa_, scale) : U256{0, mantissa_ / scale};
  if (value > U256{0, UINT64_MAX}) return UINT64_MAX;
  return static_cast<std::uint64_t>(value.low);
}

std::optional<SafeFloat> SafeFloat::plus(const SafeFloat& other) const {
  if (is_zero()) return other;
  if (other.is_zero()) return *this;
  const Aligned terms = align(*this, other);
  return normalized({0, terms.left + terms.right}, terms.exponent);
}

std::optional<SafeFloat> SafeFloat::minus(const SafeFloat& other) const {
  if (other.is_zero()) return *this;
  if (is_zero()) return std::nullopt;
  const Aligned terms = align(*this, other);
  const Uint128 rest = terms.left > terms.right ? terms.left - terms.right : 0;
  return normalized({0, rest}, terms.exponent);
}

std::optional<SafeFloat> SafeFloat::times_over(const SafeFloat& factor,
                                               const SafeFloat& divisor) const {
  if (divisor.is_zero()) return std::nullopt;
  std::int64_t exponent;
  if (__builtin_add_overflow(exponent_, factor.exponent_, &exponent) ||
      __builtin_sub_overflow(exponent, divisor.exponent_, &exponent))
    return std::nullopt;
  const U256 product = wide_multiply(mantissa_, factor.mantissa_);
  return normalized(wide_divide(product, divisor.mantissa_).quotient, exponent);
}

}  // namespace muster::chain
