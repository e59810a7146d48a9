#include "protocol/weight.h"

#include <gtest/gtest.h>

#include <limits>
#include <numeric>

namespace muster::protocol {
namespace {

using Weights = std::vector<std::uint64_t>;

Weights weights_of(const std::vector<Standing>& standings) { return miner_weights(standings); }

TEST(MinerWeights, AreEqualAmongNewcomers) {
  const Weights weights = weights_of({{}, {}, {}});
  EXPECT_EQ(weights, (Weights{kNewcomerStanding, kNewcomerStanding, kNewcomerStanding}));
}

TEST(MinerWeights, AreTheStandingsWhileNewcomersHoldLessThanATenth) {
  EXPECT_EQ(weights_of({{65535, true}, {65535, true}, {65535, true}, {}}),
            (Weights{65535, 65535, 65535, 16384}));
}

TEST(MinerWeights, AreATenthForAllNewcomersTogetherHoweverManyTheyAre) {
  std::vector<Standing> standings(200);
  standings.push_back({65535, true});
  standings.push_back({1000, true});
  const Weights weights = weights_of(standings);
  const std::uint64_t newcomers =
      std::accumulate(weights.begin(), weights.begin() + 200, std::uint64_t{0});
  EXPECT_EQ(weights[200] + weights[201], 9 * newcomers);
  EXPECT_EQ(weights[200] * 1000, weights[201] * 65535) << "the proven by their standings";
}

TEST(MinerWeights, AreNothingForWhoFailed) {
  EXPECT_EQ(weights_of({{0, false}, {}, {0, true}}), (Weights{0, kNewcomerStanding, 0}));
}

TEST(MinerWeights, OfProvenMinersThatAllFailedDoNotBoundNewcomers) {
  EXPECT_EQ(weights_of({{0, true}, {0, true}, {}}), (Weights{0, 0, kNewcomerStanding}));
}

TEST(ShareTest, IsMostOnlyBeyondHalf) {
  Share half;
  half.add(100, true);
  half.add(100, false);
  half.add(0, true);
  EXPECT_FALSE(half.is_most());
  half.add(1, true);
  EXPECT_TRUE(half.is_most());
}

TEST(ShareTest, IsAtLeastItsPercent) {
  Share share;
  share.add(66, true);
  share.add(34, false);
  EXPECT_TRUE(share.is_at_least(66));
  EXPECT_FALSE(share.is_at_least(67));
}

TEST(ShareTest, CountsMembersWhereNobodyHasAWeight) {
  Share share;
  EXPECT_TRUE(share.is_of_nobody());
  EXPECT_FALSE(share.is_most());
  EXPECT_FALSE(share.is_at_least(1));
  share.add(0, true);
  share.add(0, true);
  share.add(0, false);
  EXPECT_TRUE(share.is_most());
  share.add(1, false);
  EXPECT_FALSE(share.is_most()) << "who has some outweighs all who have none";
}

TEST(ShareTest, DoesNotOverflowWithTheLargestStakes) {
  Share share;
  for (int i = 0; i < 256; ++i) share.add(std::numeric_limits<std::uint64_t>::max(), i < 129);
  EXPECT_TRUE(share.is_most());
  EXPECT_FALSE(share.is_at_least(66));
}

}  // namespace
}  // namespace muster::protocol
