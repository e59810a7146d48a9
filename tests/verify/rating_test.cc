#include "verify/rating.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "base/prng.h"

namespace muster::verify {
namespace {

using protocol::Basis;

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

constexpr std::int32_t kUsualDrop = 5000;
constexpr std::size_t kGroups = 5;

// All parts alike.
protocol::Scores scores_of(double score) {
  const auto e3 = static_cast<std::int16_t>(std::clamp(score, -30.0, 30.0) * 1000);
  return {e3, {e3, e3, e3, e3}, std::vector<std::int16_t>(kGroups, e3)};
}

// Feeds a rating round after round.
class Career {
 public:
  Rating rating;
  void measured(double score, bool gate_passed = true) {
    take(Basis::kMeasured, score, gate_passed);
  }
  void take(Basis basis, double score = 0, bool gate_passed = false) {
    take(basis, scores_of(score), kUsualDrop, gate_passed);
  }
  void take(Basis basis, const protocol::Scores& scores, std::int32_t drop_e6, bool gate_passed) {
    rating.take({Uid{1}, round_, basis, scores, drop_e6, 0, gate_passed}, 1);
    round_ = round_.next();
  }

 private:
  Round round_;
};

Ratings ratings_of(const std::map<std::uint8_t, Career>& careers) {
  Ratings ratings;
  for (const auto& [n, career] : careers) ratings[key(n)] = career.rating;
  return ratings;
}

std::map<PublicKey, std::uint16_t> weights(const Ratings& ratings) {
  return weights(ratings, Yardstick(ratings));
}
std::map<PublicKey, std::uint16_t> standings(const Ratings& ratings) {
  return standings(ratings, Yardstick(ratings));
}

// Beside four miners that do all of their work.
double earned(const Career& career) {
  Ratings ratings;
  for (std::uint8_t n = 1; n < 5; ++n) {
    Career honest;
    for (int i = 0; i < 20; ++i) honest.measured(0.5);
    ratings[key(n)] = honest.rating;
  }
  ratings[key(0)] = career.rating;
  return Yardstick(ratings).earned(career.rating);
}

TEST(Rating, StartsAtTheFirstEvaluation) {
  Career career;
  EXPECT_EQ(career.rating.lower_bound(), 0);
  career.measured(0.3);
  EXPECT_DOUBLE_EQ(career.rating.mean(), 0.3);
  EXPECT_LT(career.rating.lower_bound(), 0.3);
}

TEST(Rating, ClipsWhatOneEvaluationCanDo) {
  Career lucky, unlucky;
  lucky.measured(30);
  unlucky.measured(-30);
  EXPECT_DOUBLE_EQ(lucky.rating.mean(), 0.76);
  EXPECT_DOUBLE_EQ(unlucky.rating.mean(), -0.4);
  for (const double part : lucky.rating.parts()) EXPECT_DOUBLE_EQ(part, 0.76);
  for (const double part : unlucky.rating.parts()) EXPECT_DOUBLE_EQ(part, -0.4);
}

TEST(Rating, AFailedGateCountsAsTheWorstAndIsRemembered) {
  Career career;
  career.measured(0.6, false);
  EXPECT_DOUBLE_EQ(career.rating.mean(), -0.4);
  EXPECT_TRUE(career.rating.gate_failed());
  career.measured(0.6);
  EXPECT_FALSE(career.rating.gate_failed());
}

TEST(Rating, ABrokenProtocolCountsLikeAFailedGate) {
  Career broke, failed;
  broke.take(Basis::kFault);
  failed.measured(0.6, false);
  EXPECT_DOUBLE_EQ(broke.rating.lower_bound(), failed.rating.lower_bound());
  EXPECT_TRUE(broke.rating.gate_failed());
}

TEST(Rating, IsMoreCertainWithMoreEvaluations) {
  Career few, many;
  for (int i = 0; i < 2; ++i) few.measured(0.3);
  for (int i = 0; i < 15; ++i) many.measured(0.3);
  EXPECT_LT(many.rating.uncertainty(), few.rating.uncertainty());
}

TEST(Rating, GrowsUncertainWhileItIsNotMeasuredSoThatNobodyStarves) {
  Career career, newcomer;
  for (int i = 0; i < 19; ++i) career.measured(0.5);
  newcomer.measured(0.5);
  const double fresh = career.rating.uncertainty();
  EXPECT_LT(fresh, newcomer.rating.uncertainty());
  for (int i = 0; i < 8; ++i) career.take(Basis::kUnmeasured);
  EXPECT_GT(career.rating.uncertainty(), newcomer.rating.uncertainty());
}

TEST(Rating, HardlyChangesInAFewTurnsWithoutAMeasurementAndFadesInMany) {
  Career career;
  for (int i = 0; i < 20; ++i) career.measured(0.5);
  const double before = earned(career);
  for (int i = 0; i < 2; ++i) career.take(Basis::kUnmeasured);
  EXPECT_GT(earned(career), 0.85 * before);
  for (int i = 0; i < 400; ++i) career.take(Basis::kUnmeasured);
  EXPECT_EQ(earned(career), 0);
}

TEST(Rating, CountsARejectedPayloadAsTheWorstScore) {
  Career rejected, broke;
  for (int i = 0; i < 6; ++i) {
    rejected.measured(0.5);
    broke.measured(0.5);
  }
  rejected.take(Basis::kRejected);
  broke.take(Basis::kFault);
  EXPECT_TRUE(rejected.rating.gate_failed());
  EXPECT_EQ(rejected.rating.evaluations(), 7u);
  EXPECT_EQ(rejected.rating.lower_bound(), broke.rating.lower_bound());
}

TEST(Rating, PaysForTheShareOfRoundsThatAMinerDeliversIn) {
  Career always, half;
  for (int i = 0; i < 60; ++i) {
    always.measured(0.5);
    if (i % 2 == 0) {
      half.measured(0.5);
    } else {
      half.take(Basis::kAbsent);
    }
  }
  const double ratio = earned(half) / earned(always);
  EXPECT_NEAR(ratio, 0.5, 0.06);
}

TEST(Rating, OneMissedRoundCostsATenth) {
  Career career;
  for (int i = 0; i < 20; ++i) career.measured(0.5);
  const double before = earned(career);
  career.take(Basis::kAbsent);
  EXPECT_NEAR(earned(career) / before, 0.9, 1e-9);
}

TEST(Rating, WhoStaysAwayIsGoneAfterTwentySevenRounds) {
  Career career;
  for (int i = 0; i < 20; ++i) career.measured(0.5);
  for (int i = 0; i < 26; ++i) career.take(Basis::kAbsent);
  EXPECT_FALSE(career.rating.is_gone());
  career.take(Basis::kAbsent);
  EXPECT_TRUE(career.rating.is_gone());
}

TEST(Rating, TakesARoundOnce) {
  Rating rating;
  const protocol::Evaluation evaluation{Uid{1}, Round{4}, Basis::kMeasured, scores_of(0.3), 0,
                                        0,      true};
  rating.take(evaluation, 1);
  rating.take(evaluation, 1);
  rating.take({Uid{1}, Round{3}, Basis::kFault, {}, 0, 0, false}, 1);
  EXPECT_EQ(rating.evaluations(), 1u);
  EXPECT_DOUBLE_EQ(rating.mean(), 0.3);
}

TEST(Weights, AreZeroBeforeTheFourthEvaluation) {
  std::map<std::uint8_t, Career> careers;
  for (int i = 0; i < 3; ++i) careers[1].measured(0.5);
  EXPECT_EQ(weights(ratings_of(careers)).at(key(1)), 0);
  careers[1].measured(0.5);
  EXPECT_EQ(weights(ratings_of(careers)).at(key(1)), 65535);
}

TEST(Weights, PayHonestMinersAndNobodyWhoDidNotTrain) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    Prng random(seed);
    std::map<std::uint8_t, Career> careers;
    for (int round = 0; round < 24; ++round) {
      for (std::uint8_t m = 0; m < 4; ++m) careers[m].measured(0.49 + 0.06 * normal(random));
      for (std::uint8_t m = 4; m < 6; ++m) careers[m].measured(0.115 * normal(random));
    }
    const auto result = weights(ratings_of(careers));
    for (std::uint8_t m = 0; m < 4; ++m) EXPECT_GT(result.at(key(m)), 0) << "seed " << seed;
    for (std::uint8_t m = 4; m < 6; ++m) EXPECT_EQ(result.at(key(m)), 0) << "seed " << seed;
  }
}

// Why measuring matters: when everybody scores the same, cheaters are paid like honest miners.
TEST(Weights, WithConstantScoresTheCheatersArePaid) {
  std::map<std::uint8_t, Career> careers;
  for (int round = 0; round < 24; ++round)
    for (std::uint8_t m = 0; m < 6; ++m) careers[m].measured(0.3);
  for (const auto& [hotkey, weight] : weights(ratings_of(careers))) EXPECT_EQ(weight, 65535);
}

// The figures that simulations with scores of 0.49 ± 0.06 find for these constants: half the pay
// within 2 rounds, none within 4, on average over many careers.
TEST(Weights, AGoodMinerTurnedBadLosesHalfItsPayInTwoRoundsAndAllInFour) {
  int half = 0, none = 0;
  constexpr int kCareers = 200;
  for (std::uint64_t seed = 1; seed <= kCareers; ++seed) {
    Prng random(seed);
    std::map<std::uint8_t, Career> careers;
    auto pay = [&] { return weights(ratings_of(careers)).at(key(0)); };
    for (int round = 0; round < 30; ++round)
      for (std::uint8_t m = 0; m < 5; ++m) careers[m].measured(0.49 + 0.06 * normal(random));
    auto turned = [&](auto&& is_over) {
      int rounds = 0;
      for (; !is_over() && rounds < 20; ++rounds) {
        careers[0].measured(0.115 * normal(random));
        for (std::uint8_t m = 1; m < 5; ++m) careers[m].measured(0.49 + 0.06 * normal(random));
      }
      return rounds;
    };
    const int to_half = turned([&] { return pay() < 65535 / 2; });
    half += to_half;
    none += to_half + turned([&] { return pay() == 0; });
  }
  EXPECT_LE(half, 2.5 * kCareers);
  EXPECT_LE(none, 4.5 * kCareers);
}

TEST(Weights, OneFailedGateDoesNotTakeAnHonestMinersPay) {
  Prng random(7);
  std::map<std::uint8_t, Career> careers;
  for (int round = 0; round < 30; ++round)
    for (std::uint8_t m = 0; m < 5; ++m) careers[m].measured(0.49 + 0.06 * normal(random));
  careers[0].measured(0.5, false);
  EXPECT_GT(weights(ratings_of(careers)).at(key(0)), 65535 / 5);
  EXPECT_EQ(standings(ratings_of(careers)).at(key(0)), 0) << "but that payload is not aggregated";
  careers[0].measured(0.5, false);
  careers[0].measured(0.5, false);
  EXPECT_EQ(weights(ratings_of(careers)).at(key(0)), 0);
}

TEST(Rating, AnAlternatingMinerIsTakenForWhatItIsOnAverage) {
  Career career;
  for (int i = 0; i < 80; ++i) career.measured(i % 2 == 0 ? 0.5 : 0);
  EXPECT_NEAR(career.rating.mean(), 0.25, 0.03);
  EXPECT_EQ(earned(career), 0);
}

// What honest miners score in round 1, 2, … of a model from scratch, and the noise of one
// evaluation, as labs find them.
double young_score(int round) {
  if (round <= 3) return std::array{0.24, 0.16, 0.12}[static_cast<std::size_t>(round - 1)];
  return std::min(0.5, round < 9 ? 0.12 + 0.01 * (round - 4) : 0.17 + 0.02 * (round - 9));
}
protocol::Scores noisy_scores(Prng& random, double score) {
  const double common = 0.08 * normal(random);
  const auto e3 = [&](double noise) {
    return static_cast<std::int16_t>(1000 * (score + common + noise * normal(random)));
  };
  protocol::Scores scores{e3(0.07), {}, std::vector<std::int16_t>(kGroups)};
  for (auto& quarter : scores.quarters_e3) quarter = e3(0.15);
  for (auto& group : scores.groups_e3) group = e3(0.09);
  return scores;
}

TEST(Weights, PayHonestMinersFromTheFourthEvaluationOnThoughScoresOfAYoungModelAreMostlyNoise) {
  int unpaid = 0, rounds = 0;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    Prng random(seed);
    std::map<std::uint8_t, Career> careers;
    for (int round = 1; round <= 30; ++round) {
      for (std::uint8_t m = 0; m < 6; ++m)
        careers[m].take(Basis::kMeasured, noisy_scores(random, young_score(round)), kUsualDrop,
                        true);
      if (round < 4) continue;
      for (const auto& [hotkey, weight] : weights(ratings_of(careers))) {
        unpaid += weight == 0;
        ++rounds;
      }
    }
  }
  EXPECT_LE(unpaid, rounds / 500);
}

TEST(Weights, PayANewcomerThatLeavesOutAQuarterOfThePositionsNoMoreThanItsWork) {
  constexpr int kCareers = 50;
  double pay = 0;
  for (std::uint64_t seed = 1; seed <= kCareers; ++seed) {
    Prng random(seed);
    std::map<std::uint8_t, Career> careers;
    for (int round = 0; round < 30; ++round)
      for (std::uint8_t m = 1; m < 6; ++m)
        careers[m].take(Basis::kMeasured, noisy_scores(random, 0.5), kUsualDrop, true);
    for (int round = 0; round < 12; ++round) {
      auto scores = noisy_scores(random, 0.5);
      scores.quarters_e3[3] = static_cast<std::int16_t>(170 * normal(random));
      careers[0].take(Basis::kMeasured, scores, kUsualDrop, true);
      pay += weights(ratings_of(careers)).at(key(0)) / 65535.0 / 12 / kCareers;
    }
  }
  EXPECT_LT(pay, 0.2) << "three quarters of the work";
}

TEST(Rating, OfAFewEvaluationsFadesToo) {
  Career career;
  for (int i = 0; i < 4; ++i) career.measured(0.5);
  EXPECT_GT(earned(career), 0.9);
  for (int i = 0; i < 500; ++i) career.take(Basis::kUnmeasured);
  EXPECT_EQ(earned(career), 0);
}

TEST(Weights, AreNotMovedByAnyNumberOfIdentitiesThatDoNothing) {
  Prng random(5);
  std::map<std::uint8_t, Career> careers;
  for (int round = 0; round < 24; ++round)
    for (std::uint8_t m = 0; m < 6; ++m)
      careers[m].measured((m < 5 ? 0.5 : 0.4) + 0.05 * normal(random));
  const auto before = weights(ratings_of(careers));
  for (std::uint8_t sybil = 100; sybil < 160; ++sybil)
    for (int round = 0; round < 24; ++round) careers[sybil].measured(-0.05 + 0.01 * normal(random));
  const auto after = weights(ratings_of(careers));
  for (std::uint8_t m = 0; m < 6; ++m) EXPECT_EQ(after.at(key(m)), before.at(key(m)));
}

// Four honest miners, and a fifth one with these scores.
class WeakestPart : public ::testing::Test {
 protected:
  double pay_of(const protocol::Scores& scores, std::int32_t drop_e6 = kUsualDrop) {
    std::map<std::uint8_t, Career> careers;
    for (int round = 0; round < 20; ++round) {
      for (std::uint8_t m = 1; m < 5; ++m) careers[m].measured(0.5);
      careers[0].take(Basis::kMeasured, scores, drop_e6, true);
    }
    const auto ratings = ratings_of(careers);
    standing_ = standings(ratings).at(key(0));
    return weights(ratings).at(key(0)) / 65535.0;
  }
  std::uint16_t standing_ = 0;
};

TEST_F(WeakestPart, IsPaidInFullWhereAllPartsAreThere) { EXPECT_EQ(pay_of(scores_of(0.5)), 1); }

TEST_F(WeakestPart, IsNotMadeUpForByOtherParts) {
  auto scores = scores_of(0.7);
  scores.quarters_e3[3] = 0;
  EXPECT_EQ(pay_of(scores), 0) << "a quarter of the positions was left out";
  scores = scores_of(0.7);
  scores.groups_e3[2] = 0;
  EXPECT_EQ(pay_of(scores), 0) << "a tensor group was left out";
  EXPECT_LT(standing_, 65535 / 10);
}

TEST_F(WeakestPart, CostsMoreThanItsShareOfTheWork) {
  auto scores = scores_of(0.5);
  scores.quarters_e3[3] = 250;
  const double pay = pay_of(scores);
  EXPECT_GT(pay, 0.2);
  EXPECT_LT(pay, 0.875) << "an eighth of the work is missing";
}

TEST_F(WeakestPart, OfTheLossPaysNothingBelowHalfOfTheMedianDrop) {
  EXPECT_EQ(pay_of(scores_of(0.5), kUsualDrop * 6 / 10), 1);
  EXPECT_GT(standing_, 60000);
  EXPECT_EQ(pay_of(scores_of(0.5), kUsualDrop * 4 / 10), 0);
  EXPECT_EQ(standing_, 0);
}

TEST_F(WeakestPart, CountsAsNothingWhereScoresLackGroups) {
  auto scores = scores_of(0.5);
  scores.groups_e3.pop_back();
  EXPECT_EQ(pay_of(scores), 0);
}

TEST_F(WeakestPart, IsSoAlsoWhereMostStopDoingIt) {
  std::map<std::uint8_t, Career> before, after;
  auto lazy = scores_of(0.5);
  lazy.quarters_e3[3] = 100;
  for (int round = 0; round < 20; ++round) {
    for (std::uint8_t m = 0; m < 5; ++m) {
      before[m].measured(0.5);
      after[m].take(Basis::kMeasured, m == 0 ? scores_of(0.5) : lazy, kUsualDrop, true);
    }
  }
  const auto ratings = ratings_of(after);
  TrailingReference trailing;
  trailing.take(*Yardstick(ratings_of(before)).present());
  EXPECT_EQ(weights(ratings).at(key(1)), 65535) << "where nobody remembers more";
  EXPECT_LT(weights(ratings, Yardstick(ratings, trailing.value())).at(key(1)), 65535 / 2);
  EXPECT_EQ(weights(ratings, Yardstick(ratings, trailing.value())).at(key(0)), 65535);
}

TEST(TrailingReference, FollowsInAHundredRounds) {
  TrailingReference trailing;
  for (int round = 0; round < 50; ++round) trailing.take({{0.5}, 1});
  EXPECT_EQ(trailing.value(), (Reference{{0.5}, 1}));
  for (int round = 0; round < 100; ++round) trailing.take({{0.25}, 1});
  EXPECT_NEAR(trailing.value().parts[0], 0.25 + 0.25 / std::exp(1), 0.02);
}

// Not even the luckiest of those who do nothing is paid.
TEST(Weights, AreZeroWhereNobodyTrains) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    Prng random(seed);
    std::map<std::uint8_t, Career> careers;
    for (int round = 0; round < 24; ++round) {
      for (std::uint8_t m = 0; m < 8; ++m) {
        auto scores = scores_of(0.115 * normal(random));
        for (auto& part : scores.quarters_e3)
          part = static_cast<std::int16_t>(160 * normal(random));
        for (auto& part : scores.groups_e3) part = static_cast<std::int16_t>(115 * normal(random));
        careers[m].take(Basis::kMeasured, scores, kUsualDrop, true);
      }
    }
    for (const auto& [hotkey, weight] : weights(ratings_of(careers)))
      EXPECT_EQ(weight, 0) << "seed " << seed;
  }
}

TEST(Standings, AreAQuarterForNewcomersAndZeroAfterAFailedGate) {
  std::map<std::uint8_t, Career> careers;
  careers[1].measured(0.5);
  for (int i = 0; i < 5; ++i) careers[2].measured(0.5);
  for (int i = 0; i < 5; ++i) careers[3].measured(0.5, i < 4);
  const auto result = standings(ratings_of(careers));
  EXPECT_EQ(result.at(key(1)), 16384);
  EXPECT_EQ(result.at(key(2)), 65535);
  EXPECT_EQ(result.at(key(3)), 0);
}

}  // namespace
}  // namespace muster::verify
