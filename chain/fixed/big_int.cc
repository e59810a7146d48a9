#include "chain/fixed/big_int.h"

#include <algorithm>

#include "base/check.h"

namespace muster::chain {

BigUint::BigUint(Uint128 value) {
  for (; value != 0; value >>= 64) limbs_.push_back(static_cast<std::uint64_t>(value));
}

BigUint::BigUint(const U256& value) {
  for (const Uint128 half : {value.low, value.high}) {
    limbs_.push_back(static_cast<std::uint64_t>(half));
    limbs_.push_back(static_cast<std::uint64_t>(half >> 64));
  }
  trim();
}

void BigUint::trim() {
  while (!limbs_.empty() && limbs_.back() == 0) limbs_.pop_back();
}

std::size_t BigUint::bits() const {
  if (limbs_.empty()) return 0;
  return limbs_.size() * 64 - static_cast<std::size_t>(__builtin_clzll(limbs_.back()));
}

std::optional<std::uint64_t> BigUint::to_u64() const {
  if (limbs_.size() > 1) return std::nullopt;
  return limbs_.empty() ? 0 : limbs_[0];
}

void BigUint::set_bit(std::size_t bit) {
  if (limbs_.size() <= bit / 64) limbs_.resize(bit / 64 + 1);
  limbs_[bit / 64] |= std::uint64_t{1} << (bit % 64);
}

std::strong_ordering operator<=>(const BigUint& a, const BigUint& b) {
  if (a.limbs_.size() != b.limbs_.size()) return a.limbs_.size() <=> b.limbs_.size();
  for (std::size_t i = a.limbs_.size(); i-- > 0;)
    if (a.limbs_[i] != b.limbs_[i]) return a.limbs_[i] <=> b.limbs_[i];
  return std::strong_ordering::equal;
}

BigUint operator+(const BigUint& a, const BigUint& b) {
  const bool a_is_longer = a.limbs_.size() >= b.limbs_.size();
  BigUint sum = a_is_longer ? a : b;
  const BigUint& shorter = a_is_longer ? b : a;
  Uint128 carry = 0;
  for (std::size_t i = 0; i < sum.limbs_.size() && (carry != 0 || i < shorter.limbs_.size()); ++i) {
    carry += sum.limbs_[i];
    if (i < shorter.limbs_.size()) carry += shorter.limbs_[i];
    sum.limbs_[i] = static_cast<std::uint64_t>(carry);
    carry >>= 64;
  }
  if (carry != 0) sum.limbs_.push_back(1);
  return sum;
}

BigUint operator-(const BigUint& a, const BigUint& b) {
  MUSTER_CHECK(a >= b, "a difference below zero");
  BigUint difference = a;
  std::uint64_t borrow = 0;
  for (std::size_t i = 0; i < a.limbs_.size() && (borrow != 0 || i < b.limbs_.size()); ++i) {
    const Uint128 taken = Uint128{i < b.limbs_.size() ? b.limbs_[i] : 0} + borrow;
    borrow = difference.limbs_[i] < taken ? 1 : 0;
    difference.limbs_[i] -= static_cast<std::uint64_t>(taken);
  }
  difference.trim();
  return difference;
}

BigUint operator*(const BigUint& a, const BigUint& b) {
  BigUint product;
  product.limbs_.resize(a.limbs_.size() + b.limbs_.size());
  for (std::size_t i = 0; i < a.limbs_.size(); ++i) {
    Uint128 carry = 0;
    for (std::size_t j = 0; j < b.limbs_.size(); ++j) {
      carry += Uint128{a.limbs_[i]} * b.limbs_[j] + product.limbs_[i + j];
      product.limbs_[i + j] = static_cast<std::uint64_t>(carry);
      carry >>= 64;
    }
    product.limbs_[i + b.limbs_.size()] = static_cast<std::uint64_t>(carry);
  }
  product.trim();
  return product;
}

BigUint operator<<(BigUint a, std::size_t shift) {
  if (a.is_zero()) return a;
  const std::size_t rest = shift % 64;
  if (rest != 0) {
    std::uint64_t carry = 0;
    for (std::uint64_t& limb : a.limbs_) {
      const std::uint64_t moved = (limb << rest) | carry;
      carry = limb >> (64 - rest);
      limb = moved;
    }
    if (carry != 0) a.limbs_.push_back(carry);
  }
  a.limbs_.insert(a.limbs_.begin(), shift / 64, 0);
  return a;
}

BigUint operator>>(BigUint a, std::size_t shift) {
  const std::size_t whole = std::min(shift / 64, a.limbs_.size());
  a.limbs_.erase(a.limbs_.begin(), a.limbs_.begin() + static_cast<std::ptrdiff_t>(whole));
  const std::size_t rest = shift % 64;
  if (rest != 0) {
    std::uint64_t carry = 0;
    for (std::size_t i = a.limbs_.size(); i-- > 0;) {
      const std::uint64_t moved = (a.limbs_[i] >> rest) | carry;
      carry = a.limbs_[i] << (64 - rest);
      a.limbs_[i] = moved;
    }
  }
  a.trim();
  return a;
}

std::uint64_t BigUint::divide_by(std::uint64_t divisor) {
  MUSTER_CHECK(divisor != 0, "division by zero");
  Uint128 remainder = 0;
  for (std::size_t i = limbs_.size(); i-- > 0;) {
    remainder = (remainder << 64) | limbs_[i];
    limbs_[i] = static_cast<std::uint64_t>(remainder / divisor);
    remainder %= divisor;
  }
  trim();
  return static_cast<std::uint64_t>(remainder);
}

BigUint BigUint::power(std::uint32_t exponent) const {
  BigUint result(Uint128{1});
  BigUint factor = *this;
  for (; exponent != 0; exponent >>= 1) {
    if ((exponent & 1) != 0) result = result * factor;
    if (exponent > 1) factor = factor * factor;
  }
  return result;
}

BigUint root_of_ratio(const BigUint& numerator, const BigUint& denominator, std::uint32_t degree) {
  MUSTER_CHECK(degree != 0 && !denominator.is_zero(), "a root of degree zero, or over zero");
  BigUint root;
  if (numerator < denominator) return root;
  // numerator / denominator < 2^quotient_bits, so the root has at most a degree-th of these bits.
  const std::size_t quotient_bits = numerator.bits() - denominator.bits() + 1;
  for (std::size_t bit = (quotient_bits + degree - 1) / degree; bit-- > 0;) {
    BigUint candidate = root;
    candidate.set_bit(bit);
    if (candidate.power(degree) * denominator <= numerator) root = std::move(candidate);
  }
  return root;
}

BigInt operator-(BigInt a) {
  a.negative = !a.negative && !a.size.is_zero();
  return a;
}

BigInt operator+(const BigInt& a, const BigInt& b) {
  if (a.negative == b.negative) return {a.size + b.size, a.negative};
  if (a.size == b.size) return {};
  return a.size > b.size ? BigInt{a.size - b.size, a.negative}
                         : BigInt{b.size - a.size, b.negative};
}

BigInt operator*(const BigInt& a, const BigInt& b) {
  BigInt product{a.size * b.size, a.negative != b.negative};
  if (product.size.is_zero()) product.negative = false;
  return product;
}

BigInt floor_shift(BigInt a, std::size_t shift) {
  if (!a.negative) return {std::move(a.size) >> shift, false};
  BigUint floor = a.size >> shift;
  if (floor << shift != a.size) floor = floor + BigUint(Uint128{1});
  return {std::move(floor), true};
}

BigInt floor_divide(BigInt a, std::uint64_t divisor) {
  const bool is_exact = a.size.divide_by(divisor) == 0;
  if (a.negative && !is_exact) a.size = a.size + BigUint(Uint128{1});
  return a;
}

}  // namespace muster::chain
