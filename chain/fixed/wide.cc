#include "chain/fixed/wide.h"

#include "base/check.h"

namespace muster::chain {
namespace {

constexpr Uint128 magnitude(Int128 x) {
  return x < 0 ? Uint128{0} - static_cast<Uint128>(x) : static_cast<Uint128>(x);
}

constexpr std::optional<Int128> with_sign(bool negative, Uint128 size) {
  constexpr Uint128 kSignBit = Uint128{1} << 127;
  if (negative) {
    if (size > kSignBit) return std::nullopt;
    return static_cast<Int128>(Uint128{0} - size);
  }
  if (size >= kSignBit) return std::nullopt;
  return static_cast<Int128>(size);
}

int leading_zeros(Uint128 x) {
  return high_half(x) != 0 ? __builtin_clzll(high_half(x)) : 64 + __builtin_clzll(low_half(x));
}

U256 shift_left(U256 x, int bits) {
  if (bits == 0) return x;
  return {(x.high << bits) | (x.low >> (128 - bits)), x.low << bits};
}

// The next base-2^64 digit of (remainder : digit) / divisor.
// REQUIRES: remainder < divisor; the divisor's top bit is set.
std::uint64_t next_digit(Uint128& remainder, std::uint64_t digit, Uint128 divisor) {
  const Uint128 leading = high_half(divisor);
  Uint128 estimate = remainder / leading;
  if (high_half(estimate) != 0) estimate = ~std::uint64_t{0};
  const U256 dividend{high_half(remainder), (remainder << 64) | digit};
  U256 product = wide_multiply(estimate, divisor);
  while (product > dividend) {  // at most twice, as the divisor is normalised
    --estimate;
    product = wide_subtract(product, {0, divisor});
  }
  remainder = wide_subtract(dividend, product).low;
  return low_half(estimate);
}

}  // namespace

WideQuotient wide_divide(U256 dividend, Uint128 divisor) {
  MUSTER_CHECK(divisor != 0, "division by zero");
  const int zeros = leading_zeros(divisor);
  const Uint128 normal = divisor << zeros;
  // What the shift pushes out at the top is the first remainder: it is below the divisor.
  Uint128 remainder = zeros == 0 ? 0 : dividend.high >> (128 - zeros);
  const U256 rest = shift_left(dividend, zeros);
  const std::uint64_t q3 = next_digit(remainder, high_half(rest.high), normal);
  const std::uint64_t q2 = next_digit(remainder, low_half(rest.high), normal);
  const std::uint64_t q1 = next_digit(remainder, high_half(rest.low), normal);
  const std::uint64_t q0 = next_digit(remainder, low_half(rest.low), normal);
  return {{(Uint128{q3} << 64) | q2, (Uint128{q1} << 64) | q0}, remainder >> zeros};
}

std::optional<Uint128> multiply_shift(Uint128 a, Uint128 b, int shift) {
  Uint128 product;
  if (!__builtin_mul_overflow(a, b, &product)) return product >> shift;
  const U256 wide = wide_multiply(a, b);
  if ((wide.high >> shift) != 0) return std::nullopt;
  return (wide.high << (128 - shift)) | (wide.low >> shift);
}

std::optional<Int128> multiply_shift(Int128 a, Int128 b, int shift) {
  Int128 product;
  if (!__builtin_mul_overflow(a, b, &product)) return product >> shift;
  const bool negative = (a < 0) != (b < 0);
  U256 wide = wide_multiply(magnitude(a), magnitude(b));
  // The floor of a negative quotient is minus the ceiling of its magnitude.
  if (negative) wide = wide_add(wide, {0, (Uint128{1} << shift) - 1});
  if ((wide.high >> shift) != 0) return std::nullopt;
  return with_sign(negative, (wide.high << (128 - shift)) | (wide.low >> shift));
}

std::optional<Uint128> shift_divide(Uint128 a, Uint128 b, int shift) {
  if ((a >> (128 - shift)) == 0) return (a << shift) / b;
  const U256 quotient = wide_divide(shift_left({0, a}, shift), b).quotient;
  if (quotient.high != 0) return std::nullopt;
  return quotient.low;
}

std::optional<Int128> shift_divide(Int128 a, Int128 b, int shift) {
  const auto size = shift_divide(magnitude(a), magnitude(b), shift);
  if (!size) return std::nullopt;
  return with_sign((a < 0) != (b < 0), *size);
}

}  // namespace muster::chain
