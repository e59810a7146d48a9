#include "chain/economy/share_pool.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace muster::chain {
namespace {

TEST(SafeFloat, KeepsTwentyOneDigits) {
  const SafeFloat one(1);
  EXPECT_EQ(one.mantissa(), SafeFloat::kMantissaMax);
  EXPECT_EQ(one.exponent(), -21);
  EXPECT_EQ(one.to_u64(), 1u);
  EXPECT_EQ(SafeFloat(2).exponent(), -20);
}

TEST(SafeFloat, ZeroHasNoExponent) {
  EXPECT_TRUE(SafeFloat(0).is_zero());
  EXPECT_EQ(SafeFloat(0).exponent(), 0);
  EXPECT_EQ(SafeFloat(0).to_u64(), 0u);
}

TEST(SafeFloat, ReadsOnlyWhatItWrites) {
  const SafeFloat value(123'456'789);
  EXPECT_EQ(SafeFloat::from_parts(value.mantissa(), value.exponent()), value);
  EXPECT_EQ(SafeFloat::from_parts(0, 0), SafeFloat());
  EXPECT_FALSE(SafeFloat::from_parts(0, 1).has_value());
  EXPECT_FALSE(SafeFloat::from_parts(1, 0).has_value());
  EXPECT_FALSE(SafeFloat::from_parts(SafeFloat::kMantissaMax / 10, 0).has_value());
  EXPECT_FALSE(SafeFloat::from_parts(SafeFloat::kMantissaMax + 1, 0).has_value());
}

TEST(SafeFloat, DivisionByZeroHasNoValue) {
  EXPECT_FALSE(SafeFloat(1).times_over(SafeFloat(1), SafeFloat(0)).has_value());
}

TEST(SafeFloat, OverflowingExponentsHaveNoValue) {
  const auto huge = SafeFloat::from_parts(SafeFloat::kMantissaMax, INT64_MAX);
  const auto tiny = SafeFloat::from_parts(SafeFloat::kMantissaMax, INT64_MIN);
  EXPECT_FALSE(huge->times_over(*huge, SafeFloat(1)).has_value());
  EXPECT_FALSE(tiny->times_over(*tiny, SafeFloat(1)).has_value());
  EXPECT_EQ(huge->to_u64(), UINT64_MAX);
  EXPECT_EQ(tiny->to_u64(), 0u);
  EXPECT_FALSE(huge->plus(*huge).has_value());
  EXPECT_EQ(huge->plus(*tiny), huge);
  EXPECT_EQ(huge->minus(*tiny), huge);
}

TEST(SafeFloat, DoesNotGoBelowZero) {
  EXPECT_EQ(SafeFloat(1).minus(SafeFloat(2)), SafeFloat());
  EXPECT_FALSE(SafeFloat(0).minus(SafeFloat(1)).has_value());
  EXPECT_EQ(SafeFloat(0).minus(SafeFloat(0)), SafeFloat());
}

TEST(SharePool, TheFirstHolderGetsAll) {
  const HeldShare first = with_change_for_one({}, {}, 1000);
  EXPECT_EQ(first.pool.total, 1000u);
  EXPECT_EQ(value_of_share(first.pool, first.share), 1000u);
}

TEST(SharePool, ADividendReachesHoldersProRata) {
  const HeldShare first = with_change_for_one({}, {}, 1000);
  const HeldShare second = with_change_for_one(first.pool, {}, 3000);
  const SharePool paid = with_change_for_all(second.pool, 400);
  EXPECT_EQ(value_of_share(paid, first.share), 1100u);
  EXPECT_EQ(value_of_share(paid, second.share), 3300u);
}

TEST(SharePool, AnEmptyPoolIsWorthNothing) {
  EXPECT_EQ(value_of_share({}, SafeFloat(5)), 0u);
  EXPECT_TRUE(change_moves_shares({}, 0));
}

TEST(SharePool, TheTotalSaturates) {
  EXPECT_EQ(with_change_for_all({5, {}}, -6).total, 0u);
  EXPECT_EQ(with_change_for_all({5, {}}, INT64_MIN).total, 0u);
  EXPECT_EQ(with_change_for_all({UINT64_MAX, {}}, 1).total, UINT64_MAX);
}

TEST(SharePool, SharesOfATotalOfZeroDoNotMove) {
  HeldShare held = with_change_for_one({}, {}, 1000);
  held.pool.total = 0;
  EXPECT_FALSE(change_moves_shares(held.pool, 5));
  EXPECT_EQ(with_change_for_one(held.pool, held.share, 5).share, held.share);
}

RC_GTEST_PROP(SharePool, AHolderGetsBackWhatItPutIn, ()) {
  const auto amount = [] { return *rc::gen::inRange<std::int64_t>(1, 21'000'000'000'000'000); };
  HeldShare first = with_change_for_one({}, {}, amount());
  first.pool = with_change_for_all(first.pool, amount());
  const std::int64_t added = amount();
  const auto second = with_change_for_one(first.pool, {}, added);
  const std::uint64_t value = value_of_share(second.pool, second.share);
  RC_ASSERT(value <= static_cast<std::uint64_t>(added));
  RC_ASSERT(value + 1 >= static_cast<std::uint64_t>(added));
  RC_ASSERT(value_of_share(second.pool, first.share) + value <= second.pool.total);
}

RC_GTEST_PROP(SharePool, OneRaoMoreShowsInTheShare, ()) {
  const auto total = *rc::gen::inRange<std::int64_t>(1, 21'000'000'000'000'000);
  const HeldShare held = with_change_for_one({}, {}, total);
  const HeldShare more = with_change_for_one(held.pool, held.share, 1);
  RC_ASSERT(!(more.share == held.share));
  RC_ASSERT(value_of_share(more.pool, more.share) + 1 >= static_cast<std::uint64_t>(total) + 1);
}

}  // namespace
}  // namespace muster::chain
