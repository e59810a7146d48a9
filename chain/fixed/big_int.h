// Integers of any size, as much as powers with rational exponents need.
//
// Why: the pool's formula takes roots of products of some ten thousand bits and logarithms to a
// thousand.
// Thread safety: plain values. Cost: schoolbook.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <vector>

#include "chain/fixed/wide.h"

namespace muster::chain {

class BigUint {
 public:
  BigUint() = default;  // zero
  explicit BigUint(Uint128 value);
  explicit BigUint(const U256& value);

  [[nodiscard]] bool is_zero() const { return limbs_.empty(); }
  [[nodiscard]] std::size_t bits() const;  // of the number without leading zeros
  [[nodiscard]] std::optional<std::uint64_t> to_u64() const;
  void set_bit(std::size_t bit);

  friend bool operator==(const BigUint&, const BigUint&) = default;
  friend std::strong_ordering operator<=>(const BigUint& a, const BigUint& b);

  friend BigUint operator+(const BigUint& a, const BigUint& b);
  friend BigUint operator-(const BigUint& a, const BigUint& b);  // REQUIRES: a >= b.
  friend BigUint operator*(const BigUint& a, const BigUint& b);
  friend BigUint operator<<(BigUint a, std::size_t shift);
  friend BigUint operator>>(BigUint a, std::size_t shift);

  // Divides and returns the remainder. REQUIRES: divisor != 0.
  std::uint64_t divide_by(std::uint64_t divisor);

  [[nodiscard]] BigUint power(std::uint32_t exponent) const;

 private:
  void trim();
  std::vector<std::uint64_t> limbs_;  // least first, the last one is not zero
};

// The largest r with r^degree * denominator <= numerator. REQUIRES: degree and denominator are not
// zero.
[[nodiscard]] BigUint root_of_ratio(const BigUint& numerator, const BigUint& denominator,
                                    std::uint32_t degree);

// Sign and magnitude; zero is not negative.
struct BigInt {
  BigUint size;
  bool negative = false;

  friend bool operator==(const BigInt&, const BigInt&) = default;
  friend BigInt operator-(BigInt a);
  friend BigInt operator+(const BigInt& a, const BigInt& b);
  friend BigInt operator-(const BigInt& a, const BigInt& b) { return a + -b; }
  friend BigInt operator*(const BigInt& a, const BigInt& b);
};

// floor(a / 2^shift) and floor(a / divisor). REQUIRES: divisor != 0.
[[nodiscard]] BigInt floor_shift(BigInt a, std::size_t shift);
[[nodiscard]] BigInt floor_divide(BigInt a, std::uint64_t divisor);

}  // namespace muster::chain
