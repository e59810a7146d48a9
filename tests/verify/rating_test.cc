#include "verify/rating.h"

#include <gtest/gtest.h>

#include "base/prng.h"

namespace muster::verify {
namespace {

PublicKey key(std::uint8_t n) {
  PublicKey k;
  k.bytes[0] = n;
  return k;
}

double normal(Prng& random) {
  double sum = -6;
  for (int i = 0; i < 12; ++i) sum += random.uniform();
  return sum;
}

TEST(Rating, StartsAtTheFirstEvaluation) {
  Rating rating;
  EXPECT_EQ(rating.lower_bound(), 0);
  rating.add(3, true);
  EXPECT_DOUBLE_EQ(rating.mean(), 3);
  EXPECT_LT(rating.lower_bound(), 3);
}

TEST(Rating, ClipsWhatOneEvaluationCanDo) {
  Rating lucky, unlucky;
  lucky.add(1000, true);
  unlucky.add(-1000, true);
  EXPECT_DOUBLE_EQ(lucky.mean(), 6);
  EXPECT_DOUBLE_EQ(unlucky.mean(), -4);
}

TEST(Rating, AFailedGateCountsAsTheWorstAndIsRemembered) {
  Rating rating;
  rating.add(6, false);
  EXPECT_DOUBLE_EQ(rating.mean(), -4);
  EXPECT_TRUE(rating.gate_failed());
  rating.add(6, true);
  EXPECT_FALSE(rating.gate_failed());
}

TEST(Rating, IsMoreCertainWithMoreEvaluations) {
  Rating few, many;
  for (int i = 0; i < 2; ++i) few.add(3, true);
  for (int i = 0; i < 15; ++i) many.add(3, true);
  EXPECT_LT(many.uncertainty(), few.uncertainty());
}

TEST(Weights, AreZeroBeforeTheFourthEvaluation) {
  Ratings ratings;
  for (int i = 0; i < 3; ++i) ratings[key(1)].add(5, true);
  EXPECT_EQ(weights(ratings).at(key(1)), 0);
  ratings[key(1)].add(5, true);
  EXPECT_EQ(weights(ratings).at(key(1)), 65535);
}

TEST(Weights, PayHonestMinersAndNobodyWhoDidNotTrain) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    Prng random(seed);
    Ratings ratings;
    for (int round = 0; round < 24; ++round) {
      for (std::uint8_t m = 0; m < 4; ++m) ratings[key(m)].add(5 + normal(random), true);
      for (std::uint8_t m = 4; m < 6; ++m) ratings[key(m)].add(normal(random), true);
    }
    const auto result = weights(ratings);
    for (std::uint8_t m = 0; m < 4; ++m) EXPECT_GT(result.at(key(m)), 0) << "seed " << seed;
    for (std::uint8_t m = 4; m < 6; ++m) EXPECT_EQ(result.at(key(m)), 0) << "seed " << seed;
  }
}

// Why measuring matters: when everybody scores the same, cheaters are paid like honest miners.
TEST(Weights, WithConstantScoresTheCheatersArePaid) {
  Ratings ratings;
  for (int round = 0; round < 24; ++round)
    for (std::uint8_t m = 0; m < 6; ++m) ratings[key(m)].add(3, true);
  for (const auto& [hotkey, weight] : weights(ratings)) EXPECT_EQ(weight, 65535);
}

TEST(Weights, AGoodMinerTurnedBadLosesItsPay) {
  Prng random(3);
  Ratings ratings;
  for (int round = 0; round < 30; ++round)
    for (std::uint8_t m = 0; m < 4; ++m) ratings[key(m)].add(5 + normal(random), true);
  int rounds = 0;
  for (; weights(ratings).at(key(0)) > 0 && rounds < 20; ++rounds) {
    ratings[key(0)].add(normal(random), true);
    for (std::uint8_t m = 1; m < 4; ++m) ratings[key(m)].add(5 + normal(random), true);
  }
  EXPECT_LE(rounds, 10);
}

TEST(Standings, AreAQuarterForNewcomersAndZeroAfterAFailedGate) {
  Ratings ratings;
  ratings[key(1)].add(5, true);
  for (int i = 0; i < 5; ++i) ratings[key(2)].add(5, true);
  for (int i = 0; i < 5; ++i) ratings[key(3)].add(5, i < 4);
  const auto result = standings(ratings);
  EXPECT_EQ(result.at(key(1)), 16384);
  EXPECT_EQ(result.at(key(2)), 65535);
  EXPECT_EQ(result.at(key(3)), 0);
}

}  // namespace
}  // namespace muster::verify
