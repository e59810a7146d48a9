#include "base/median.h"

#include <gtest/gtest.h>

namespace muster {
namespace {

using Weights = std::vector<std::uint64_t>;

double median_of(const std::vector<double>& values, const Weights& weights) {
  return weighted_lower_median<double>(values, weights);
}

TEST(LowerQuartile, HasAtMostAQuarterOfTheOthersBelowIt) {
  EXPECT_EQ(lower_quartile({}), 0);
  EXPECT_EQ(lower_quartile({4, 3, 2, 1}), 1);
  EXPECT_EQ(lower_quartile({5, 4, 3, 2, 1}), 2);
  EXPECT_EQ(lower_quartile({9, 8, 7, 6, 5, 4, 3, 2, 1}), 3);
}

TEST(WeightedLowerMedian, OfEqualWeightsIsTheLowerMedian) {
  for (const std::vector<double>& values : {std::vector<double>{3, 1, 2}, {4, 1, 3, 2}, {7}})
    EXPECT_EQ(median_of(values, Weights(values.size(), 5)), lower_median(values));
}

TEST(WeightedLowerMedian, IsTheFirstValueUpToWhichHalfOfTheWeightLies) {
  EXPECT_EQ(median_of({1, 2, 3}, {1, 1, 2}), 2) << "exactly half";
  EXPECT_EQ(median_of({1, 2, 3}, {1, 1, 3}), 3);
}

TEST(WeightedLowerMedian, IsNotMovedByValuesWithoutWeight) {
  EXPECT_EQ(median_of({-9, -8, 5, 90, 91}, {0, 0, 1, 0, 0}), 5);
}

TEST(WeightedLowerMedian, CountsEachAsOneWhereNobodyHasAWeight) {
  EXPECT_EQ(median_of({1, 2, 9}, {0, 0, 0}), 2);
}

TEST(WeightedLowerMedian, OfNothingIsZero) { EXPECT_EQ(median_of({}, {}), 0); }

TEST(WeightedLowerMedian, DoesNotOverflow) {
  EXPECT_EQ(median_of({1, 2, 3}, Weights(3, ~std::uint64_t{0})), 2);
}

}  // namespace
}  // namespace muster
