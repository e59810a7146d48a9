#include "chain/fixed/transcendental.h"

#include <utility>

namespace muster::chain {
namespace {

// e and log2(e), cut to 23 fraction bits as the source keeps its constants, then widened.
constexpr I32F32 kE = I32F32::from_bits(std::int64_t{22802600} << 9);
constexpr I32F32 kLog2E = I32F32::from_bits(std::int64_t{12102203} << 9);

struct Series {
  I32F32 x;
  I32F32 term;  // x^n / n!
  I32F32 sum;
  bool overflows = false;

  // Adds the next term. False where that was the last that counts: an overflow, or zero and so all
  // that follow. A divisor that is known to the compiler costs a multiplication.
  template <int kTerm>
  bool add() {
    const auto product = checked_mul(term, x);
    overflows = !product.has_value();
    if (overflows) return false;
    term = I32F32::from_bits(product->bits / kTerm);
    overflows = __builtin_add_overflow(sum.bits, term.bits, &sum.bits);
    return !overflows && term.bits != 0;
  }

  template <int... kTerms>
  void add_all(std::integer_sequence<int, kTerms...>) {
    (void)(add<kTerms + 2>() && ...);
  }
};

// Halves, rounding the last bit up.
template <class F>
F halved(F x) {
  return F::from_bits((x.bits >> 1) + (x.bits & 1));
}

// REQUIRES: x >= 1.
template <class F>
F log2_of_at_least_one(F x) {
  const F two = fixed_from<F>(2);
  typename F::Bits result = 0;
  for (; x >= two; x = halved(x)) ++result;
  if (x == F::one()) return fixed_from<F>(result);
  for (int bit = 0; bit < F::kFractionBits; ++bit) {
    x = x * x;
    result <<= 1;
    if (x >= two) {
      result |= 1;
      x = halved(x);
    }
  }
  return F::from_bits(result);
}

}  // namespace

std::optional<I32F32> checked_exp(I32F32 x) {
  if (x == I32F32::zero()) return I32F32::one();
  if (x == I32F32::one()) return kE;
  const bool negative = x < I32F32::zero();
  if (x == I32F32::min()) return std::nullopt;
  if (negative) x.bits = -x.bits;
  if (x.bits > kIntegerMax<std::int64_t> - I32F32::one().bits) return std::nullopt;
  Series series{x, x, x + I32F32::one()};
  series.add_all(std::make_integer_sequence<int, 30>{});
  if (series.overflows) return std::nullopt;
  return negative ? checked_div(I32F32::one(), series.sum) : series.sum;
}

I32F32 exp_safe(I32F32 x) {
  constexpr I32F32 kLimit = fixed_from<I32F32>(20);
  const I32F32 least = I32F32::from_bits(-kLimit.bits);
  if (x < least) x = least;
  if (x > kLimit) x = kLimit;
  if (const auto result = checked_exp(x)) return *result;
  return x <= I32F32::zero() ? I32F32::zero() : I32F32::max();
}

template <class F>
std::optional<F> checked_log2(F x) {
  if (x <= F::zero()) return std::nullopt;
  if (x >= F::one()) return log2_of_at_least_one(x);
  const auto inverse = checked_div(F::one(), x);
  if (!inverse) return std::nullopt;
  return F::from_bits(-log2_of_at_least_one(*inverse).bits);
}

template std::optional<I32F32> checked_log2(I32F32);
template std::optional<I96F32> checked_log2(I96F32);

std::optional<I32F32> checked_ln(I32F32 x) {
  const auto binary = checked_log2(x);
  if (!binary) return std::nullopt;
  return safe_div(*binary, kLog2E);
}

U64F64 pow_safe(U64F64 base, U64F64 exponent) {
  const auto logarithm = checked_ln(fixed_from<I32F32>(base));
  if (!logarithm) return U64F64::zero();
  constexpr I32F32 kOverflow = fixed_from<I32F32>(kIntegerMax<std::int32_t>);
  const I32F32 power = checked_exp(fixed_from<I32F32>(exponent) * *logarithm).value_or(kOverflow);
  return fixed_from<U64F64>(power);
}

I32F32 sigmoid_safe(I32F32 x, I32F32 rho, I32F32 kappa) {
  const I32F32 minus_one = fixed_from<I32F32>(-1);
  const I32F32 power = exp_safe((rho * minus_one) * (x - kappa));
  return safe_div(I32F32::one(), power + I32F32::one());
}

}  // namespace muster::chain
