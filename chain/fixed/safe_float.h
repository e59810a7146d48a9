// SafeFloat: a non-negative decimal number of 21 digits with a 64-bit exponent, the unit of stake
// shares.
//
// The mantissa stays in (10^20, 10^21], so that one rao more or less always shows in a share and a
// tenth of it never does. Digits that do not fit are cut off. Source: subtensor:
// primitives/share-pool (SafeFloat).
// Thread safety: plain values.
#pragma once

#include <cstdint>
#include <optional>

#include "chain/fixed/wide.h"

namespace muster::chain {

class SafeFloat {
 public:
  static constexpr Uint128 kMantissaMax = Uint128{1'000'000'000'000} * 1'000'000'000;

  SafeFloat() = default;  // zero
  explicit SafeFloat(std::uint64_t integer);

  // From what the accessors gave. Nothing where a zero has an exponent or the mantissa is out of
  // its range.
  [[nodiscard]] static std::optional<SafeFloat> from_parts(Uint128 mantissa, std::int64_t exponent);

  [[nodiscard]] Uint128 mantissa() const { return mantissa_; }
  [[nodiscard]] std::int64_t exponent() const { return exponent_; }
  [[nodiscard]] bool is_zero() const { return mantissa_ == 0; }

  // The floor; 2^64 - 1 where it is larger.
  [[nodiscard]] std::uint64_t to_u64() const;

  // Nothing where the exponent overflows. The smaller number is cut to the exponent of the other
  // one first.
  [[nodiscard]] std::optional<SafeFloat> plus(const SafeFloat& other) const;
  // Not below zero; nothing for 0 - x with x > 0.
  [[nodiscard]] std::optional<SafeFloat> minus(const SafeFloat& other) const;
  // this * factor / divisor with one rounding. Nothing for a zero divisor or where an exponent
  // overflows.
  [[nodiscard]] std::optional<SafeFloat> times_over(const SafeFloat& factor,
                                                    const SafeFloat& divisor) const;

  friend bool operator==(const SafeFloat&, const SafeFloat&) = default;

 private:
  [[nodiscard]] static std::optional<SafeFloat> normalized(U256 mantissa, std::int64_t exponent);

  Uint128 mantissa_ = 0;
  std::int64_t exponent_ = 0;
};

}  // namespace muster::chain
