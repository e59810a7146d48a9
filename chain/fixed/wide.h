// 256-bit unsigned arithmetic: what a product of two 128-bit numbers and its division need.
//
// Why: a U64F64 product has 256 bits before it is shifted, and share pools divide such products.
// Thread safety: pure functions. Cost: no allocation; division is Knuth's algorithm D in base 2^64.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>

#include "chain/fixed/int128.h"

namespace muster::chain {

struct U256 {
  Uint128 high = 0;  // first, so that the default order is the numeric one
  Uint128 low = 0;
  friend constexpr auto operator<=>(const U256&, const U256&) = default;
  [[nodiscard]] constexpr bool is_zero() const { return high == 0 && low == 0; }
};

[[nodiscard]] constexpr std::uint64_t low_half(Uint128 x) { return static_cast<std::uint64_t>(x); }
[[nodiscard]] constexpr std::uint64_t high_half(Uint128 x) {
  return static_cast<std::uint64_t>(x >> 64);
}

[[nodiscard]] constexpr U256 wide_multiply(Uint128 a, Uint128 b) {
  const Uint128 low_low = Uint128{low_half(a)} * low_half(b);
  const Uint128 low_high = Uint128{low_half(a)} * high_half(b);
  const Uint128 high_low = Uint128{high_half(a)} * low_half(b);
  const Uint128 high_high = Uint128{high_half(a)} * high_half(b);
  const Uint128 middle = Uint128{high_half(low_low)} + low_half(low_high) + low_half(high_low);
  return {high_high + high_half(low_high) + high_half(high_low) + high_half(middle),
          (middle << 64) | low_half(low_low)};
}

// Modulo 2^256.
[[nodiscard]] constexpr U256 wide_add(U256 a, U256 b) {
  const Uint128 low = a.low + b.low;
  return {a.high + b.high + (low < a.low ? 1u : 0u), low};
}
[[nodiscard]] constexpr U256 wide_subtract(U256 a, U256 b) {
  return {a.high - b.high - (a.low < b.low ? 1u : 0u), a.low - b.low};
}

struct WideQuotient {
  U256 quotient;
  Uint128 remainder = 0;
};
// REQUIRES: divisor != 0.
[[nodiscard]] WideQuotient wide_divide(U256 dividend, Uint128 divisor);

// floor(a * b / 2^shift) and trunc(a * 2^shift / b), or nothing where the result does not fit.
// REQUIRES: 0 < shift < 128; b != 0 where it divides.
[[nodiscard]] std::optional<Uint128> multiply_shift(Uint128 a, Uint128 b, int shift);
[[nodiscard]] std::optional<Int128> multiply_shift(Int128 a, Int128 b, int shift);
[[nodiscard]] std::optional<Uint128> shift_divide(Uint128 a, Uint128 b, int shift);
[[nodiscard]] std::optional<Int128> shift_divide(Int128 a, Int128 b, int shift);

}  // namespace muster::chain
