#include "chain/fixed/transcendental.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cmath>

namespace muster::chain {
namespace {

double number(I32F32 value) { return std::ldexp(static_cast<double>(value.bits), -32); }
I32F32 whole(int value) { return fixed_from<I32F32>(value); }

TEST(Exp, IsOneAtZeroAndE23AtOne) {
  EXPECT_EQ(exp_safe(I32F32::zero()), I32F32::one());
  EXPECT_EQ(exp_safe(I32F32::one()).bits, std::int64_t{22802600} << 9);
  // Next to one the series holds, which is more exact than the constant.
  EXPECT_NE(exp_safe(I32F32::from_bits(I32F32::one().bits - 1)), exp_safe(I32F32::one()));
}

TEST(Exp, ClampsItsArgument) {
  EXPECT_EQ(exp_safe(I32F32::max()), exp_safe(whole(20)));
  EXPECT_EQ(exp_safe(I32F32::min()), exp_safe(whole(-20)));
  EXPECT_EQ(exp_safe(I32F32::min()).bits, 8);
}

TEST(Exp, FailsWhereItOverflows) {
  EXPECT_TRUE(checked_exp(whole(20)).has_value());
  // e^21 would fit, but a term times 21 does not.
  EXPECT_FALSE(checked_exp(whole(21)).has_value());
  EXPECT_FALSE(checked_exp(whole(-21)).has_value());
  EXPECT_FALSE(checked_exp(I32F32::max()).has_value());
  EXPECT_FALSE(checked_exp(I32F32::min()).has_value());
}

TEST(Log2, CountsPowersOfTwo) {
  for (int power = 0; power < 31; ++power) {
    EXPECT_EQ(checked_log2(I32F32::from_bits(I32F32::one().bits << power)), whole(power));
    EXPECT_EQ(checked_log2(I32F32::from_bits(I32F32::one().bits >> (power / 2))),
              whole(-(power / 2)));
  }
}

TEST(Log2, HasNoValueAtZeroBelowAndWhereTheInverseOverflows) {
  EXPECT_FALSE(checked_log2(I32F32::zero()).has_value());
  EXPECT_FALSE(checked_log2(whole(-1)).has_value());
  EXPECT_FALSE(checked_log2(I32F32::from_bits(1)).has_value());
  EXPECT_FALSE(checked_log2(I32F32::from_bits(2)).has_value());
  EXPECT_TRUE(checked_log2(I32F32::from_bits(3)).has_value());
}

TEST(Pow, IsZeroWhereTheLogarithmHasNoValue) {
  EXPECT_EQ(pow_safe(U64F64::zero(), fixed_from<U64F64>(3)), U64F64::zero());
  EXPECT_EQ(pow_safe(U64F64::from_bits(Uint128{1} << 33), fixed_from<U64F64>(3)), U64F64::zero());
}

TEST(Pow, EndsAtTheLargestWholeNumberOf31Bits) {
  EXPECT_EQ(pow_safe(fixed_from<U64F64>(256), fixed_from<U64F64>(8)),
            fixed_from<U64F64>(INT32_MAX));
}

TEST(Sigmoid, IsOneHalfAtItsCentre) {
  EXPECT_EQ(sigmoid_safe(whole(3), whole(10), whole(3)).bits, I32F32::one().bits / 2);
}

RC_GTEST_PROP(Exp, IsCloseToTheExponential, ()) {
  const auto x = I32F32::from_bits(*rc::gen::inRange(whole(-8).bits, whole(8).bits));
  const double exact = std::exp(number(x));
  RC_ASSERT(std::fabs(number(exp_safe(x)) - exact) <= exact * 1e-6 + 1e-8);
}

RC_GTEST_PROP(Exp, NeverFallsBesideTheConstant, (std::int64_t bits)) {
  const auto x = I32F32::from_bits(bits % whole(20).bits);
  const auto next = I32F32::from_bits(x.bits + (std::int64_t{1} << 20));
  RC_PRE(x != I32F32::one() && next != I32F32::one());
  RC_ASSERT(exp_safe(x) <= exp_safe(next));
}

RC_GTEST_PROP(Log2, IsCloseToTheLogarithm, ()) {
  const auto x = I32F32::from_bits(*rc::gen::inRange<std::int64_t>(1 << 16, INT64_MAX));
  const auto got = checked_log2(x);
  RC_ASSERT(got.has_value());
  RC_ASSERT(std::fabs(number(*got) - std::log2(number(x))) <= 1e-4);
}

RC_GTEST_PROP(Sigmoid, StaysWithinZeroAndOne,
              (std::int64_t x, std::int64_t rho, std::int64_t kappa)) {
  const I32F32 value =
      sigmoid_safe(I32F32::from_bits(x), I32F32::from_bits(rho), I32F32::from_bits(kappa));
  RC_ASSERT(value >= I32F32::zero() && value <= I32F32::one());
}

}  // namespace
}  // namespace muster::chain
