#include "chain/fixed/power.h"

#include <algorithm>
#include <numeric>

#include "base/check.h"

namespace muster::chain {
namespace {

constexpr std::uint64_t kExactExponentMax = 1024;
constexpr std::size_t kGuardBits = 24;
constexpr std::uint64_t kTermsMax = 4096;

// Numbers with `bits` fraction bits, the last kGuardBits of them not part of the result.
class SeriesArithmetic {
 public:
  explicit SeriesArithmetic(std::size_t bits)
      : bits_(bits), terms_max_(std::min<std::uint64_t>(kTermsMax, bits + 128)) {
    // ln 2 = -ln(1 - 1/2).
    ln_two_ = -ln_of_one_plus({BigUint(Uint128{1}) << (bits - 1), true});
  }

  // REQUIRES: value is not zero.
  [[nodiscard]] BigInt ln(const BigUint& value) const {
    std::size_t shift = value.bits() - 1;
    BigUint mantissa = (value << bits_) >> shift;  // within 1..2
    const BigUint one = BigUint(Uint128{1}) << bits_;
    if (mantissa >= one + (one >> 1)) {
      mantissa = std::move(mantissa) >> 1;
      ++shift;
    }
    const BigInt twos = ln_two_ * BigInt{BigUint(Uint128{shift}), false};
    return ln_of_one_plus(BigInt{std::move(mantissa), false} - BigInt{one, false}) + twos;
  }

  // Without its guard bits.
  [[nodiscard]] BigInt exp(const BigInt& x) const {
    BigInt term{BigUint(Uint128{1}) << bits_, false};
    BigInt sum = term;
    BigInt before = without_guard(sum);
    for (std::uint64_t n = 1; n <= terms_max_; ++n) {
      term = floor_divide(floor_shift(term * x, bits_), n);
      if (term.size.is_zero()) break;
      sum = sum + term;
      BigInt now = without_guard(sum);
      if (term.size.bits() <= kGuardBits || now == before) break;
      before = std::move(now);
    }
    return without_guard(sum);
  }

 private:
  [[nodiscard]] BigInt ln_of_one_plus(const BigInt& x) const {
    BigInt power = x;
    BigInt sum = x;
    BigInt before = without_guard(sum);
    for (std::uint64_t n = 2; n <= terms_max_; ++n) {
      power = floor_shift(power * x, bits_);
      if (power.size.is_zero()) break;
      const BigInt term = floor_divide(power, n);
      if (term.size.is_zero()) break;
      sum = n % 2 == 0 ? sum - term : sum + term;
      BigInt now = without_guard(sum);
      if (term.size.bits() <= kGuardBits || now == before) break;
      before = std::move(now);
    }
    return sum;
  }

  // Rounded to the nearest, ties away from zero.
  [[nodiscard]] static BigInt without_guard(const BigInt& value) {
    BigInt rounded{(value.size + (BigUint(Uint128{1}) << (kGuardBits - 1))) >> kGuardBits,
                   value.negative};
    if (rounded.size.is_zero()) rounded.negative = false;
    return rounded;
  }

  std::size_t bits_;
  std::uint64_t terms_max_;
  BigInt ln_two_;
};

BigInt exact_power(const Ratio& base, std::uint32_t power, std::uint32_t degree, Uint128 scale) {
  if (power == 1 && degree == 1) {
    const U256 product = wide_multiply(base.numerator, scale);
    return {BigUint(wide_divide(product, base.denominator).quotient), false};
  }
  const BigUint numerator = BigUint(base.numerator).power(power) * BigUint(scale).power(degree);
  return {root_of_ratio(numerator, BigUint(base.denominator).power(power), degree), false};
}

}  // namespace

std::optional<BigInt> pow_ratio_scaled(const Ratio& base, const Ratio& exponent,
                                       std::uint32_t precision_bits, Uint128 scale) {
  MUSTER_CHECK(exponent.numerator <= UINT64_MAX && exponent.denominator <= UINT64_MAX,
               "an exponent of more than 64 bits");
  if (base.denominator == 0 || exponent.denominator == 0) return std::nullopt;
  if (base.numerator == 0) return BigInt{};
  if (exponent.numerator == 0) return BigInt{BigUint(scale), false};
  const auto common = std::gcd(static_cast<std::uint64_t>(exponent.numerator),
                               static_cast<std::uint64_t>(exponent.denominator));
  const auto power = static_cast<std::uint64_t>(exponent.numerator) / common;
  const auto degree = static_cast<std::uint64_t>(exponent.denominator) / common;
  if (power <= kExactExponentMax && degree <= kExactExponentMax)
    return exact_power(base, static_cast<std::uint32_t>(power), static_cast<std::uint32_t>(degree),
                       scale);

  const std::size_t precision =
      std::max<std::size_t>({precision_bits, 32, BigUint(scale).bits() + 8});
  const SeriesArithmetic arithmetic(precision + kGuardBits);
  const BigInt ln_base =
      arithmetic.ln(BigUint(base.numerator)) - arithmetic.ln(BigUint(base.denominator));
  const BigInt ln_power = floor_divide(ln_base * BigInt{BigUint(Uint128{power}), false}, degree);
  return floor_shift(arithmetic.exp(ln_power) * BigInt{BigUint(scale), false}, precision);
}

}  // namespace muster::chain
