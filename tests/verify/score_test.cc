#include "verify/score.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/prng.h"

namespace muster::verify {
namespace {

TEST(RankSum, MatchesAHandComputedExample) {
  // Ranks of own {5, 6} among {1, 2, 3, 5, 6}: 4 + 5 = 9; mean 2 · 6 / 2 = 6; variance 2 · 3 · 6 / 12 = 3.
  const double own[] = {5, 6}, random[] = {1, 2, 3};
  EXPECT_NEAR(rank_sum_z(own, random), 3 / std::sqrt(3.0), 1e-12);
}

TEST(RankSum, SharesRanksBetweenTies) {
  const double own[] = {1, 1}, random[] = {1, 1};
  EXPECT_EQ(rank_sum_z(own, random), 0) << "nothing to tell apart";
  const double a[] = {1, 2}, b[] = {1, 2};
  EXPECT_NEAR(rank_sum_z(a, b), 0, 1e-12);
}

TEST(RankSum, IsAntisymmetric) {
  Prng random(2);
  std::vector<double> a(12), b(20);
  for (double& x : a) x = random.uniform();
  for (double& x : b) x = random.uniform();
  EXPECT_NEAR(rank_sum_z(a, b), -rank_sum_z(b, a), 1e-12);
}

TEST(RankSum, IsNothingForNothing) {
  const double some[] = {1, 2};
  EXPECT_EQ(rank_sum_z({}, some), 0);
  EXPECT_EQ(rank_sum_z(some, {}), 0);
}

TEST(OwnVersusRandom, IsStandardNormalForWhoDidNotTrainOnItsData) {
  Prng random(5);
  double sum = 0, square = 0;
  constexpr int kTrials = 2000;
  for (int trial = 0; trial < kTrials; ++trial) {
    std::vector<double> own(32), own_control(32), shared(64), shared_control(64);
    for (auto* group : {&own_control, &shared_control})
      for (double& x : *group) x = random.uniform();
    // A replay: its drop is what the aggregate explains, plus noise.
    for (std::size_t i = 0; i < 32; ++i) own[i] = 0.7 * own_control[i] + 0.1 * random.uniform();
    for (std::size_t i = 0; i < 64; ++i)
      shared[i] = 0.7 * shared_control[i] + 0.1 * random.uniform();
    const double z = own_versus_random_z(own, own_control, shared, shared_control);
    sum += z;
    square += z * z;
  }
  EXPECT_NEAR(sum / kTrials, 0, 0.1);
  EXPECT_NEAR(square / kTrials, 1, 0.15);
}

TEST(OwnVersusRandom, IsLargeForWhoDid) {
  Prng random(6);
  std::vector<double> own(32), own_control(32), shared(64), shared_control(64);
  for (auto* group : {&own_control, &shared_control})
    for (double& x : *group) x = random.uniform();
  for (std::size_t i = 0; i < 32; ++i) own[i] = own_control[i] + 0.3 + 0.1 * random.uniform();
  for (std::size_t i = 0; i < 64; ++i) shared[i] = shared_control[i] + 0.1 * random.uniform();
  EXPECT_GT(own_versus_random_z(own, own_control, shared, shared_control), 5);
}

}  // namespace
}  // namespace muster::verify
