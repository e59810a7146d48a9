#include "chain/fixed/power.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cmath>

#include "chain/fixed/quick_power.h"

namespace muster::chain {
namespace {

constexpr std::uint64_t kScale = 1'000'000'000'000'000'000;

BigUint big(std::uint64_t high, std::uint64_t low) { return BigUint((Uint128{high} << 64) | low); }

std::uint64_t power_of(const Ratio& base, const Ratio& exponent) {
  const auto power = pow_ratio_scaled(base, exponent, 256, kScale);
  return power && !power->negative ? power->size.to_u64().value_or(UINT64_MAX) : 0;
}

TEST(BigUint, ShiftsAcrossLimbs) {
  const BigUint one(Uint128{1});
  EXPECT_EQ((one << 64).bits(), 65u);
  EXPECT_EQ((one << 200) >> 199, BigUint(Uint128{2}));
  EXPECT_TRUE((one >> 1).is_zero());
  EXPECT_TRUE((BigUint() << 77).is_zero());
}

TEST(BigInt, FloorsNegativeQuotients) {
  const BigInt minus_seven{BigUint(Uint128{7}), true};
  EXPECT_EQ(floor_divide(minus_seven, 2), (BigInt{BigUint(Uint128{4}), true}));
  EXPECT_EQ(floor_shift(minus_seven, 1), (BigInt{BigUint(Uint128{4}), true}));
  EXPECT_EQ(floor_shift(minus_seven, 100), (BigInt{BigUint(Uint128{1}), true}));
  EXPECT_EQ(floor_divide({BigUint(Uint128{8}), true}, 2), (BigInt{BigUint(Uint128{4}), true}));
}

TEST(BigInt, HasOneZero) {
  const BigInt three{BigUint(Uint128{3}), false};
  EXPECT_EQ(three - three, BigInt{});
  EXPECT_EQ(-BigInt{}, BigInt{});
  EXPECT_EQ(-three * BigInt{}, BigInt{});
}

TEST(Power, RefusesZeroDenominatorsOnly) {
  EXPECT_FALSE(pow_ratio_scaled({1, 0}, {1, 1}, 256, kScale).has_value());
  EXPECT_FALSE(pow_ratio_scaled({1, 1}, {1, 0}, 256, kScale).has_value());
  EXPECT_EQ(power_of({0, 5}, {1, 2}), 0u);
  EXPECT_EQ(power_of({0, 5}, {0, 2}), 0u);
  EXPECT_EQ(power_of({3, 5}, {0, 2}), kScale);
}

TEST(Power, OfEqualExponentPartsIsTheRatio) {
  EXPECT_EQ(power_of({2, 3}, {7, 7}), 666'666'666'666'666'666u);
  EXPECT_EQ(power_of({kUint128Max, kUint128Max}, {5, 5}), kScale);
}

TEST(Power, IsExactForSmallExponents) {
  EXPECT_EQ(power_of({1, 4}, {1, 2}), kScale / 2);
  EXPECT_EQ(power_of({8, 1}, {1, 3}), 2 * kScale);
  EXPECT_EQ(power_of({1, 3}, {2, 1}), 111'111'111'111'111'111u);
  EXPECT_EQ(power_of({2, 1}, {1, 2}), 1'414'213'562'373'095'048u);
}

TEST(Power, MayExceedSixtyFourBits) {
  const auto power = pow_ratio_scaled({UINT64_MAX, 1}, {99, 1}, 256, kScale);
  ASSERT_TRUE(power.has_value());
  EXPECT_FALSE(power->size.to_u64().has_value());
}

TEST(Power, BothPathsAgreeWhereTheyMeet) {
  // 512/1023 is exact; the same with both parts a little off takes the series.
  const std::uint64_t exact = power_of({3, 5}, {512, 1023});
  const std::uint64_t series = power_of({3, 5}, {512'000'000'000'001, 1'023'000'000'000'002});
  EXPECT_NEAR(static_cast<double>(exact), static_cast<double>(series), 1000);
}

RC_GTEST_PROP(BigUint, SumsAndDifferencesUndoEachOther,
              (std::uint64_t a, std::uint64_t b, std::uint64_t c, std::uint64_t d)) {
  const BigUint x = big(a, b);
  const BigUint y = big(c, d);
  RC_ASSERT((x + y) - y == x);
  RC_ASSERT(x + y == y + x);
  RC_ASSERT((x + y) * x == x * x + y * x);
}

RC_GTEST_PROP(BigUint, DivisionLeavesARemainder,
              (std::uint64_t a, std::uint64_t b, std::uint64_t d)) {
  const std::uint64_t divisor = d | 1;
  BigUint quotient = big(a, b) * big(b, a);
  const BigUint dividend = quotient;
  const std::uint64_t remainder = quotient.divide_by(divisor);
  RC_ASSERT(remainder < divisor);
  RC_ASSERT(quotient * BigUint(Uint128{divisor}) + BigUint(Uint128{remainder}) == dividend);
}

RC_GTEST_PROP(BigUint, RootIsTheLargest, (std::uint64_t a, std::uint64_t b, std::uint8_t q)) {
  const std::uint32_t degree = q % 7 + 1;
  const BigUint numerator = big(a, b);
  const BigUint denominator(Uint128{b % 1000 + 1});
  const BigUint root = root_of_ratio(numerator, denominator, degree);
  const BigUint next = root + BigUint(Uint128{1});
  RC_ASSERT(root.power(degree) * denominator <= numerator);
  RC_ASSERT(next.power(degree) * denominator > numerator);
}

TEST(QuickPower, DoesNotAnswerOutsideItsRange) {
  EXPECT_EQ(quick_power({0, 5, 1, 2}, kScale), std::nullopt);
  EXPECT_EQ(quick_power({5, 0, 1, 2}, kScale), std::nullopt);
  EXPECT_EQ(quick_power({2000, 1, 1, 20}, kScale), std::nullopt);
  EXPECT_EQ(quick_power({1000, 1, 1, 3}, kScale), std::nullopt);
  EXPECT_EQ(quick_power({1, 2000, 1, 2}, kScale), std::nullopt);
  EXPECT_EQ(quick_power({1, 2, 99, 1}, kScale), std::nullopt);
  EXPECT_EQ(quick_power({1, 2, 1, 0}, kScale), std::nullopt);
  EXPECT_EQ(quick_power({1, 1000, 90, 1}, kScale), std::nullopt);
}

TEST(QuickPower, DoesNotAnswerAtAnExactValue) {
  EXPECT_EQ(quick_power({1, 4, 1, 2}, kScale), std::nullopt);
  EXPECT_EQ(quick_power({1, 1, 1, 3}, kScale), std::nullopt);
  EXPECT_EQ(quick_power({1, 3, 2, 1}, kScale), 111'111'111'111'111'111u);
}

// Over the pool's whole range of weights and inputs, with many near equal weights and near a base
// of one.
RC_GTEST_PROP(QuickPower, GivesTheSlowOnesDigits, ()) {
  const auto reserve =
      *rc::gen::inRange<std::uint64_t>(1, std::uint64_t{1} << *rc::gen::inRange(1, 54));
  const auto more =
      *rc::gen::inRange<std::uint64_t>(1, 1 + reserve * *rc::gen::element(1, 10, 999));
  const auto weight =
      *rc::gen::oneOf(rc::gen::inRange<std::uint64_t>(kScale / 100, kScale / 100 * 99),
                      rc::gen::inRange<std::uint64_t>(kScale / 2 - 1000, kScale / 2 + 1000));
  const auto quick = quick_power({reserve, reserve + more, weight, kScale - weight}, kScale);
  if (quick) RC_ASSERT(*quick == power_of({reserve, reserve + more}, {weight, kScale - weight}));
}

// Prices of all bits, and exponents below one as limits have them.
RC_GTEST_PROP(QuickPower, GivesTheSlowOnesDigitsAboveOne, (std::uint64_t high, std::uint64_t low)) {
  const Uint128 price = ((Uint128{high} << 64) | low) >> *rc::gen::inRange(12, 120);
  RC_PRE(price > 0);
  const auto permille = static_cast<unsigned>(*rc::gen::inRange(1, 60'000));
  const Uint128 target = price + price / 1000 * permille + 1;
  const auto weight = *rc::gen::inRange<std::uint64_t>(kScale / 100, kScale / 100 * 99);
  const auto quick = quick_power({target, price, weight, kScale}, kScale);
  if (quick) RC_ASSERT(*quick == power_of({target, price}, {weight, kScale}));
}

TEST(QuickPower, AnswersForOrdinaryLimits) {
  const Uint128 price = Uint128{30'000'000} << 40;
  for (std::uint64_t permille = 1; permille < 10'000; permille = permille * 2 + 1) {
    const Uint128 target = price + price / 1000 * permille;
    EXPECT_EQ(quick_power({target, price, 498'765'432'109'876'544, kScale}, kScale),
              power_of({target, price}, {498'765'432'109'876'544, kScale}));
  }
}

TEST(QuickPower, AnswersForOrdinarySwaps) {
  for (std::uint64_t amount = 1; amount < 1'000'000'000'000; amount = amount * 3 + 1)
    EXPECT_EQ(quick_power({30'000'000'000'000, 30'000'000'000'000 + amount, 501'234'567'890'123'456,
                           498'765'432'109'876'544},
                          kScale),
              power_of({30'000'000'000'000, 30'000'000'000'000 + amount},
                       {501'234'567'890'123'456, 498'765'432'109'876'544}));
}

RC_GTEST_PROP(Power, IsCloseToThePower, ()) {
  const auto numerator = *rc::gen::inRange<std::uint64_t>(1, std::uint64_t{1} << 50);
  const auto more = *rc::gen::inRange<std::uint64_t>(0, std::uint64_t{1} << 50);
  const auto weight = *rc::gen::inRange<std::uint64_t>(kScale / 4, kScale / 4 * 3);
  const double exact =
      std::pow(static_cast<double>(numerator) / static_cast<double>(numerator + more),
               static_cast<double>(weight) / static_cast<double>(kScale - weight));
  const auto got =
      static_cast<double>(power_of({numerator, numerator + more}, {weight, kScale - weight}));
  RC_ASSERT(std::fabs(got / static_cast<double>(kScale) - exact) <= 1e-9);
}

}  // namespace
}  // namespace muster::chain
