#include "chain/fixed/fixed.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace muster::chain {
namespace {

constexpr std::int64_t kOne = std::int64_t{1} << 32;

I32F32 i32(std::int64_t bits) { return I32F32::from_bits(bits); }
Uint128 wide_number(std::uint64_t high, std::uint64_t low) { return (Uint128{high} << 64) | low; }

TEST(Fixed, SumsAndDifferencesSaturate) {
  EXPECT_EQ(I32F32::max() + I32F32::one(), I32F32::max());
  EXPECT_EQ(I32F32::min() + i32(-1), I32F32::min());
  EXPECT_EQ(I32F32::min() - I32F32::one(), I32F32::min());
  EXPECT_EQ(I32F32::max() - i32(-1), I32F32::max());
  EXPECT_EQ(U64F64::zero() - U64F64::one(), U64F64::zero());
  EXPECT_EQ(U64F64::max() + U64F64::from_bits(1), U64F64::max());
  EXPECT_EQ(I96F32::min() - I96F32::one(), I96F32::min());
}

TEST(Fixed, ProductsKeepTheFloor) {
  EXPECT_EQ(i32(1) * i32(1), i32(0));
  EXPECT_EQ(i32(-1) * i32(1), i32(-1));
  EXPECT_EQ(i32(-3) * i32(kOne / 2), i32(-2));
  EXPECT_EQ(I64F64::from_bits(-1) * I64F64::from_bits(1), I64F64::from_bits(-1));
}

TEST(Fixed, ProductsSaturateByTheirSign) {
  EXPECT_EQ(I32F32::max() * fixed_from<I32F32>(2), I32F32::max());
  EXPECT_EQ(I32F32::max() * fixed_from<I32F32>(-2), I32F32::min());
  EXPECT_EQ(I64F64::min() * I64F64::min(), I64F64::max());
  EXPECT_EQ(I64F64::min() * I64F64::max(), I64F64::min());
  EXPECT_EQ(U64F64::max() * U64F64::max(), U64F64::max());
  EXPECT_FALSE(checked_mul(I32F32::max(), I32F32::max()).has_value());
}

TEST(Fixed, QuotientsAreTruncated) {
  EXPECT_EQ(safe_div(fixed_from<I32F32>(-1), fixed_from<I32F32>(3)), i32(-(kOne / 3)));
  EXPECT_EQ(safe_div(I64F64::from_bits(-1), fixed_from<I64F64>(2)), I64F64::zero());
  EXPECT_EQ(safe_div(fixed_from<I64F64>(-7), fixed_from<I64F64>(2)),
            I64F64::from_bits(-(Int128{7} << 63)));
}

TEST(Fixed, DivisionByZeroIsZero) {
  EXPECT_EQ(safe_div(I32F32::max(), I32F32::zero()), I32F32::zero());
  EXPECT_EQ(safe_div(U64F64::max(), U64F64::zero()), U64F64::zero());
}

TEST(Fixed, AnOverflowingSafeDivisionIsZeroToo) {
  EXPECT_EQ(safe_div(I32F32::max(), i32(1)), I32F32::zero());
  EXPECT_EQ(safe_div(U96F32::max(), U96F32::from_bits(1)), U96F32::zero());
  EXPECT_EQ(saturating_div(I32F32::max(), i32(1)), I32F32::max());
  EXPECT_EQ(saturating_div(I32F32::max(), i32(-1)), I32F32::min());
}

TEST(Fixed, DividesItsLeastNumberByMinusOne) {
  EXPECT_EQ(safe_div(I32F32::min(), fixed_from<I32F32>(-1)), I32F32::zero());
  EXPECT_EQ(safe_div(I64F64::min(), fixed_from<I64F64>(-1)), I64F64::zero());
  EXPECT_EQ(safe_div(I64F64::min(), fixed_from<I64F64>(1)), I64F64::min());
}

TEST(Fixed, ConversionsKeepTheFloorAndSaturate) {
  EXPECT_EQ(fixed_from<I32F32>(I64F64::from_bits(-1)), i32(-1));
  EXPECT_EQ(fixed_from<I32F32>(std::uint64_t{UINT64_MAX}), I32F32::max());
  EXPECT_EQ(fixed_from<I64F64>(std::uint64_t{UINT64_MAX}), I64F64::max());
  EXPECT_EQ(fixed_from<U64F64>(I96F32::from_bits(-1)), U64F64::zero());
  EXPECT_EQ(fixed_from<I96F32>(U64F64::max()).bits, (Int128{1} << 96) - 1);
  EXPECT_EQ(fixed_from<U64F64>(U96F32::max()), U64F64::max());
  // The sign bit of the one is a value bit of the other.
  EXPECT_EQ(fixed_from<U64F64>(I96F32::from_bits(Int128{1} << 95)).bits, Uint128{1} << 127);
  EXPECT_EQ(fixed_from<I64F64>(I96F32::from_bits(-(Int128{1} << 95))), I64F64::min());
  EXPECT_EQ(fixed_from<I64F64>(I96F32::from_bits(-(Int128{1} << 95) - 1)), I64F64::min());
  EXPECT_EQ(integer_from<std::uint16_t>(fixed_from<I32F32>(65536)), 65535);
  EXPECT_EQ(integer_from<std::uint64_t>(fixed_from<I32F32>(-1)), 0u);
  EXPECT_EQ(integer_from<std::int64_t>(i32(-1)), -1);
}

TEST(Fixed, SumsOfListsWrap) {
  const std::vector<I32F32> twice{I32F32::max(), I32F32::max()};
  EXPECT_EQ(wrapping_sum<I32F32>(twice), i32(-2));
}

TEST(Fixed, RoundsTiesAwayFromZero) {
  EXPECT_EQ(rounded(i32(kOne / 2)), i32(kOne));
  EXPECT_EQ(rounded(i32(-kOne / 2)), i32(-kOne));
  EXPECT_EQ(rounded(i32(-kOne / 2 + 1)), i32(0));
  EXPECT_EQ(rounded(i32(kOne / 2 - 1)), i32(0));
}

TEST(Fixed, ProportionsOf65535GoThereAndBackButForOne) {
  for (std::uint32_t parts = 0; parts <= 65535; ++parts) {
    const auto back = proportion_from(fixed_from_proportion(static_cast<std::uint16_t>(parts)));
    EXPECT_TRUE(back == parts || back + 1u == parts) << parts;
  }
  EXPECT_EQ(proportion_from(I32F32::one()), 65535);
  EXPECT_EQ(proportion_from(I32F32::max()), 65535);
  EXPECT_EQ(proportion_from(i32(-1)), 0);
}

RC_GTEST_PROP(Wide, DivisionUndoesMultiplication,
              (std::uint64_t a, std::uint64_t b, std::uint64_t c, std::uint64_t d)) {
  const Uint128 left = wide_number(a, b);
  const Uint128 divisor = wide_number(c, d) | 1;
  const U256 product = wide_multiply(left, divisor);
  const WideQuotient result = wide_divide(product, divisor);
  RC_ASSERT((result.quotient == U256{0, left}));
  RC_ASSERT(result.remainder == 0);
}

RC_GTEST_PROP(Wide, QuotientAndRemainderMakeTheDividend,
              (std::uint64_t a, std::uint64_t b, std::uint64_t c, std::uint64_t d)) {
  const Uint128 divisor = wide_number(a % 3 == 0 ? 0 : c, d) | 1;
  const U256 dividend{wide_number(a, b) % divisor, wide_number(c, a)};
  const WideQuotient result = wide_divide(dividend, divisor);
  RC_ASSERT(result.quotient.high == 0);
  RC_ASSERT(result.remainder < divisor);
  RC_ASSERT(wide_add(wide_multiply(result.quotient.low, divisor), {0, result.remainder}) ==
            dividend);
}

RC_GTEST_PROP(Fixed, NarrowAndWideProductsAgree, (std::int64_t a, std::int64_t b)) {
  const auto narrow = checked_mul(i32(a), i32(b));
  const auto wide = checked_mul(I96F32::from_bits(a), I96F32::from_bits(b));
  RC_ASSERT(wide.has_value());
  RC_ASSERT(narrow.has_value() == (wide->bits >= INT64_MIN && wide->bits <= INT64_MAX));
  if (narrow) RC_ASSERT(narrow->bits == wide->bits);
}

RC_GTEST_PROP(Fixed, NarrowAndWideQuotientsAgree, (std::int64_t a, std::int64_t b)) {
  RC_PRE(b != 0);
  const auto narrow = checked_div(i32(a), i32(b));
  const auto wide = checked_div(I96F32::from_bits(a), I96F32::from_bits(b));
  RC_ASSERT(wide.has_value());
  RC_ASSERT(narrow.has_value() == (wide->bits >= INT64_MIN && wide->bits <= INT64_MAX));
  if (narrow) RC_ASSERT(narrow->bits == wide->bits);
}

RC_GTEST_PROP(Fixed, SignedProductsAreTheFloorOfUnsignedOnes, (std::uint64_t a, std::uint64_t b)) {
  // Large enough for the path of 256 bits, small enough for the result.
  const auto x = static_cast<Int128>(Uint128{a} << 40);
  const auto y = static_cast<Int128>(Uint128{b} << 20);
  const auto positive = checked_mul(I64F64::from_bits(x), I64F64::from_bits(y));
  const auto negative = checked_mul(I64F64::from_bits(-x), I64F64::from_bits(y));
  RC_ASSERT(positive.has_value() && negative.has_value());
  const bool exact = (Uint128{a} * b) % (Uint128{1} << 4) == 0;
  RC_ASSERT(negative->bits == -positive->bits - (exact ? 0 : 1));
}

}  // namespace
}  // namespace muster::chain
