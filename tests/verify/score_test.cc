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

// Loss falls by an update's first value on even sequences and by its second one on all of them.
class TwoValuesProbe final : public protocol::LossProbe {
 public:
  Status compute_gradient(std::span<const std::uint64_t>) override { return {}; }
  double gradient_cosine(const compression::SparseUpdate&) const override { return 0; }
  Result<std::vector<float>> losses(protocol::ProbePoint, const compression::SparseUpdate* update, float scale,
                                    std::span<const std::uint64_t> sequences) override {
    std::vector<float> losses;
    for (const std::uint64_t sequence : sequences) {
      losses.push_back(4 + 0.001f * static_cast<float>(sequence));
      if (update != nullptr)
        losses.back() -= scale * (update->values[1] + (sequence % 2 == 0 ? update->values[0] : 0.0f));
    }
    return losses;
  }
  Result<double> held_out_loss() override { return 0.0; }
  Status apply(const compression::SparseUpdate&) override { return {}; }
  std::span<const float> parameters() const override { return {}; }
  Status set_parameters(std::span<const float>) override { return {}; }
  std::string platform_class() const override { return "two values"; }
};

compression::SparseUpdate update_of(float first, float second) { return {{0, 1}, {first, second}, {2}}; }

class ScoreTest : public ::testing::Test {
 protected:
  Measurement measure(compression::SparseUpdate whole, compression::SparseUpdate fresh) {
    ScoreTask task{Round{1}, 0.5f, {1, 3, 5, 7, 9, 11}, {}};
    task.items.push_back({Uid{0}, std::make_shared<const compression::DecodedPayload>(
                                      compression::DecodedPayload{std::move(whole), std::move(fresh)}),
                          {0, 2, 4, 6, 8, 10}});
    const std::atomic<bool> never{false};
    return score(probe_, task, never).value().front();
  }
  TwoValuesProbe probe_;
};

TEST_F(ScoreTest, MeasuresZOfTheFreshPartAlone) {
  EXPECT_GT(measure(update_of(0, 0), update_of(1, 0)).z, 2);
  EXPECT_LT(measure(update_of(1, 0), update_of(0, 0)).z, 2);
  EXPECT_EQ(measure(update_of(5, 3), update_of(1, 0)).z, measure(update_of(1, 0), update_of(1, 0)).z);
}

TEST_F(ScoreTest, MeasuresTheDropOfTheWholePayload) {
  EXPECT_GT(measure(update_of(0, 1), update_of(0, 0)).relative_drop, 0.1);
  EXPECT_EQ(measure(update_of(0, 0), update_of(0, 1)).relative_drop, 0);
}

}  // namespace
}  // namespace muster::verify
