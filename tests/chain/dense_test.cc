#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>

#include "chain/fixed/vectors.h"

namespace muster::chain {
namespace {

std::vector<I32F32> wholes(const std::vector<int>& values) {
  std::vector<I32F32> result;
  for (const int value : values) result.push_back(fixed_from<I32F32>(value));
  return result;
}

std::vector<I32F32> raw(const std::vector<std::uint32_t>& bits) {
  std::vector<I32F32> result;
  for (const std::uint32_t value : bits) result.push_back(I32F32::from_bits(value));
  return result;
}

TEST(Normalize, LeavesAVectorWithoutSumAlone) {
  auto values = wholes({2, -2});
  normalize(values);
  EXPECT_EQ(values, wholes({2, -2}));
}

TEST(Normalize, DividesByAWrappedSum) {
  std::vector<I64F64> values{I64F64::max(), I64F64::max()};
  normalize(values);
  // The sum is -2 in its last bit, and the quotients overflow.
  EXPECT_EQ(values[0], I64F64::zero());
}

TEST(Largest, TiesGoToTheHigherIndex) {
  EXPECT_EQ(is_among_largest(wholes({5, 5, 5, 5}), 2),
            (std::vector<bool>{false, false, true, true}));
}

TEST(Largest, ZeroIsOnlyChosenWhereItMayBe) {
  EXPECT_EQ(is_among_largest(wholes({0, 1}), 2), (std::vector<bool>{true, true}));
  EXPECT_EQ(is_among_largest_nonzero(wholes({0, 1}), 2), (std::vector<bool>{false, true}));
  EXPECT_EQ(is_among_largest_nonzero(wholes({0, 1}), 100), (std::vector<bool>{false, true}));
  EXPECT_EQ(is_among_largest_nonzero({}, 0), std::vector<bool>{});
}

TEST(Upscale, MakesTheLargest65535) {
  EXPECT_EQ(upscaled_to_u16(wholes({1, 2})), (std::vector<std::uint16_t>{32768, 65535}));
  EXPECT_EQ(upscaled_to_u16(wholes({0, 0})), (std::vector<std::uint16_t>{0, 0}));
  EXPECT_EQ(upscaled_to_u16(std::vector<std::uint16_t>{65535, 32768, 0}),
            (std::vector<std::uint16_t>{65535, 32768, 0}));
}

TEST(Upscale, TakesNegativeValuesForZero) {
  EXPECT_EQ(upscaled_to_u16(wholes({-1, 1})), (std::vector<std::uint16_t>{0, 65535}));
  EXPECT_EQ(upscaled_to_u16(wholes({-1, -2})), (std::vector<std::uint16_t>{65535, 65535}));
}

TEST(LargestShare, OfNothingIsWithinEveryLimit) {
  EXPECT_TRUE(largest_share_within({}, 0));
  EXPECT_FALSE(largest_share_within(std::vector<std::uint16_t>{1}, 65534));
  EXPECT_TRUE(largest_share_within(std::vector<std::uint16_t>{1, 1}, 32768));
}

TEST(Mask, AnEmptyOneMarksNothingAndAShortOneTheRest) {
  auto values = wholes({1, 2, 3});
  mask_values({}, values);
  EXPECT_EQ(values, wholes({1, 2, 3}));
  mask_values({false}, values);
  EXPECT_EQ(values, wholes({1, 0, 0}));
}

TEST(Products, AreZeroWhereTheyOverflow) {
  EXPECT_EQ(products({{I32F32::max(), I32F32::one()}}, {{I32F32::max(), I32F32::one()}}),
            (std::vector<I32F32>{I32F32::zero(), I32F32::one()}));
}

RC_GTEST_PROP(Normalize, SumsToOneButForRounding, (const std::vector<std::uint32_t>& bits)) {
  auto values = raw(bits);
  RC_PRE(!sums_to_zero(values));
  normalize(values);
  const I32F32 sum = wrapping_sum<I32F32>(values);
  RC_ASSERT(sum <= I32F32::one());
  RC_ASSERT(sum.bits >= I32F32::one().bits - static_cast<std::int64_t>(values.size()));
}

RC_GTEST_PROP(Largest, ChoosesAsManyAsItMay,
              (const std::vector<std::uint32_t>& bits, std::uint8_t count)) {
  const auto chosen = is_among_largest(raw(bits), count);
  RC_ASSERT(static_cast<std::size_t>(std::count(chosen.begin(), chosen.end(), true)) ==
            std::min<std::size_t>(count, bits.size()));
  for (std::size_t i = 0; i < bits.size(); ++i)
    for (std::size_t j = 0; j < bits.size(); ++j)
      if (chosen[i] && !chosen[j]) RC_ASSERT(bits[i] >= bits[j]);
}

RC_GTEST_PROP(Upscale, KeepsTheOrder, (const std::vector<std::uint16_t>& values)) {
  const auto scaled = upscaled_to_u16(values);
  RC_ASSERT(scaled.size() == values.size());
  for (std::size_t i = 1; i < values.size(); ++i)
    if (values[i - 1] <= values[i]) RC_ASSERT(scaled[i - 1] <= scaled[i]);
}

}  // namespace
}  // namespace muster::chain
