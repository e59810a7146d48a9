// Binary fixed-point numbers with the rules of the economy's arithmetic.
//
// +, - and * saturate; * keeps the floor of the exact product; division truncates and has a name
// that says what it does on a zero divisor or an overflow; a conversion keeps the floor and
// saturates. Sums wrap, as the upstream's release builds do. Equal inputs give equal bits on every
// machine.
// Source: substrate-fixed 0.6.0 (arith.rs, traits.rs), subtensor: primitives/safe-math.
// Thread safety: plain values.
#pragma once

#include <compare>
#include <optional>
#include <span>

#include "chain/fixed/int128.h"
#include "chain/fixed/wide.h"

namespace muster::chain {

template <Integer BitsType, int kFraction>
struct Fixed {
  using Bits = BitsType;
  static constexpr int kFractionBits = kFraction;

  Bits bits = 0;  // value * 2^kFraction

  [[nodiscard]] static constexpr Fixed from_bits(Bits bits) { return Fixed{bits}; }
  [[nodiscard]] static constexpr Fixed max() { return {kIntegerMax<Bits>}; }
  [[nodiscard]] static constexpr Fixed min() { return {kIntegerMin<Bits>}; }
  [[nodiscard]] static constexpr Fixed zero() { return {0}; }
  [[nodiscard]] static constexpr Fixed one() { return {Bits{1} << kFraction}; }

  friend constexpr auto operator<=>(const Fixed&, const Fixed&) = default;

  friend constexpr Fixed operator+(Fixed a, Fixed b) {
    Bits sum;
    if (!__builtin_add_overflow(a.bits, b.bits, &sum)) return {sum};
    return b.bits < 0 ? min() : max();
  }
  friend constexpr Fixed operator-(Fixed a, Fixed b) {
    Bits difference;
    if (!__builtin_sub_overflow(a.bits, b.bits, &difference)) return {difference};
    return kIsSigned<Bits> && b.bits < 0 ? max() : min();
  }
  friend constexpr Fixed operator*(Fixed a, Fixed b) {
    if (const auto product = checked_mul(a, b)) return *product;
    return (a.bits < 0) != (b.bits < 0) ? min() : max();
  }

  // Nothing on overflow.
  [[nodiscard]] friend constexpr std::optional<Fixed> checked_mul(Fixed a, Fixed b) {
    if constexpr (sizeof(Bits) == 8) {
      const Int128 product = (Int128{a.bits} * b.bits) >> kFraction;
      if (product > kIntegerMax<Bits> || product < kIntegerMin<Bits>) return std::nullopt;
      return Fixed{static_cast<Bits>(product)};
    } else {
      const auto product = multiply_shift(a.bits, b.bits, kFraction);
      return product ? std::optional(Fixed{*product}) : std::nullopt;
    }
  }
  // Nothing on a zero divisor or overflow.
  [[nodiscard]] friend constexpr std::optional<Fixed> checked_div(Fixed a, Fixed b) {
    if (b.bits == 0) return std::nullopt;
    if constexpr (sizeof(Bits) == 8) {
      const Int128 quotient = a.divided(b);
      if (quotient > kIntegerMax<Bits> || quotient < kIntegerMin<Bits>) return std::nullopt;
      return Fixed{static_cast<Bits>(quotient)};
    } else {
      const auto quotient = shift_divide(a.bits, b.bits, kFraction);
      return quotient ? std::optional(Fixed{*quotient}) : std::nullopt;
    }
  }

 private:
  // A 64-bit division where the dividend allows it.
  [[nodiscard]] constexpr Int128 divided(Fixed b) const {
    constexpr Bits kShort = Bits{1} << (63 - kFraction);
    if (bits < kShort && bits > -kShort) return (bits << kFraction) / b.bits;
    return (Int128{bits} << kFraction) / b.bits;
  }
};

using I32F32 = Fixed<std::int64_t, 32>;
using I64F64 = Fixed<Int128, 64>;
using I96F32 = Fixed<Int128, 32>;
using U64F64 = Fixed<Uint128, 64>;
using U96F32 = Fixed<Uint128, 32>;

// Zero on a zero divisor and, as upstream's, on overflow.
template <class F>
[[nodiscard]] constexpr F safe_div(F a, F b) {
  return checked_div(a, b).value_or(F::zero());
}

// Saturates on overflow. REQUIRES: b is not zero.
template <class F>
[[nodiscard]] constexpr F saturating_div(F a, F b) {
  if (const auto quotient = checked_div(a, b)) return *quotient;
  return (a.bits < 0) != (b.bits < 0) ? F::min() : F::max();
}

// `value` * 2^shift, or its floor for a negative shift, clamped to the range of `To`.
template <Integer To, Integer From>
[[nodiscard]] constexpr To clamped_shift(From value, int shift) {
  if (value < 0) {
    if constexpr (!kIsSigned<To>) return 0;
    const auto wide = static_cast<Int128>(value);
    const Int128 moved = shift <= 0 ? wide >> -shift : wide << shift;
    const bool fits = shift <= 0 || moved >> shift == wide;
    if (!fits || moved < static_cast<Int128>(kIntegerMin<To>)) return kIntegerMin<To>;
    return static_cast<To>(moved);
  }
  const auto wide = static_cast<Uint128>(value);
  const Uint128 moved = shift <= 0 ? wide >> -shift : wide << shift;
  const bool fits = shift <= 0 || moved >> shift == wide;
  if (!fits || moved > static_cast<Uint128>(kIntegerMax<To>)) return kIntegerMax<To>;
  return static_cast<To>(moved);
}

template <class To, Integer From>
[[nodiscard]] constexpr To fixed_from(From integer) {
  return To::from_bits(clamped_shift<typename To::Bits>(integer, To::kFractionBits));
}

template <class To, Integer Bits, int kFraction>
[[nodiscard]] constexpr To fixed_from(Fixed<Bits, kFraction> value) {
  return To::from_bits(clamped_shift<typename To::Bits>(value.bits, To::kFractionBits - kFraction));
}

// The floor; 0 for a negative number where `To` is unsigned.
template <Integer To, Integer Bits, int kFraction>
[[nodiscard]] constexpr To integer_from(Fixed<Bits, kFraction> value) {
  return clamped_shift<To>(value.bits, -kFraction);
}

// Modulo 2^bits: an overflowing sum wraps.
template <class F>
[[nodiscard]] constexpr F wrapping_add(F a, F b) {
  return F::from_bits(
      static_cast<typename F::Bits>(static_cast<Uint128>(a.bits) + static_cast<Uint128>(b.bits)));
}

template <class F>
[[nodiscard]] constexpr F wrapping_sum(std::span<const F> values) {
  F sum = F::zero();
  for (const F value : values) sum = wrapping_add(sum, value);
  return sum;
}

// value / 65535, and floor(value * 65535) within 0..65535.
[[nodiscard]] constexpr I32F32 fixed_from_proportion(std::uint16_t parts) {
  return safe_div(fixed_from<I32F32>(parts), fixed_from<I32F32>(65535));
}
[[nodiscard]] constexpr std::uint16_t proportion_from(I32F32 value) {
  return integer_from<std::uint16_t>(value * fixed_from<I32F32>(65535));
}

// To the nearest integer, ties away from zero.
[[nodiscard]] constexpr I32F32 rounded(I32F32 value) {
  constexpr std::int64_t kHalf = std::int64_t{1} << 31;
  const std::int64_t floor = value.bits & ~((std::int64_t{1} << 32) - 1);
  const std::int64_t rest = value.bits - floor;
  const bool up = rest > kHalf || (rest == kHalf && value.bits >= 0);
  return up ? wrapping_add(I32F32{floor}, I32F32::one()) : I32F32{floor};
}

}  // namespace muster::chain
