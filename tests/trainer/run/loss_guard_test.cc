#include "trainer/run/loss_guard.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <numbers>

#include "base/prng.h"

namespace muster::trainer {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

double normal(Prng& random) {
  return std::sqrt(-2 * std::log(1 - random.uniform())) *
         std::cos(2 * std::numbers::pi * random.uniform());
}

LossGuard after_calm_steps(GuardConfig config = {}) {
  LossGuard guard(config);
  Prng random(1);
  for (int step = 0; step < 100; ++step)
    EXPECT_EQ(guard.judge(3 + 0.05 * normal(random), 1 + 0.1 * normal(random)), Verdict::kApply);
  return guard;
}

TEST(LossGuard, SkipsWhatIsNotFiniteFromTheFirstStep) {
  for (const double bad : {kNan, kInfinity, -kInfinity}) {
    EXPECT_EQ(LossGuard({}).judge(bad, 1), Verdict::kNonFinite);
    EXPECT_EQ(LossGuard({}).judge(3, bad), Verdict::kNonFinite);
  }
}

TEST(LossGuard, SkipsASpikeOfLossAndGradient) {
  EXPECT_EQ(after_calm_steps().judge(6, 30), Verdict::kSpike);
}

TEST(LossGuard, LearnsFromARareBatchThatRaisesOnlyOneOfThem) {
  EXPECT_EQ(after_calm_steps().judge(6, 1), Verdict::kApply);
  EXPECT_EQ(after_calm_steps().judge(3, 30), Verdict::kApply);
}

TEST(LossGuard, CallsNoSpikeBeforeItHasSeenEnough) {
  LossGuard guard({});
  for (std::uint32_t step = 0; step + 1 < LossGuard::kStepsMin; ++step) guard.judge(3, 1);
  EXPECT_EQ(guard.judge(100, 100), Verdict::kApply);
}

TEST(LossGuard, CallsNoiseOfACalmRunNoSpike) {
  LossGuard calm({});
  for (int step = 0; step < 100; ++step) calm.judge(2, 0.5);  // deviations of zero
  const auto verdict_on = [&](double loss, double norm) {
    return LossGuard({}, calm.state()).judge(loss, norm);
  };
  EXPECT_EQ(verdict_on(2.19, 9), Verdict::kApply);
  EXPECT_EQ(verdict_on(2.3, 4.99), Verdict::kApply);
  EXPECT_EQ(verdict_on(2.3, 5.01), Verdict::kSpike);
}

TEST(LossGuard, CanBeToldToSkipOnlyWhatIsNotFinite) {
  LossGuard guard = after_calm_steps({.spike_sd = 0});
  EXPECT_EQ(guard.judge(1e6, 1e6), Verdict::kApply);
  EXPECT_EQ(guard.judge(kNan, 1), Verdict::kNonFinite);
}

// Losses that fall, heavy-tailed batches, norms that are log-normal and go with the loss.
TEST(LossGuard, NeverTriggersOnHealthyRuns) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    LossGuard guard({});
    Prng random(seed);
    for (int step = 0; step < 5000; ++step) {
      const double shared = normal(random);
      const double tail = random.chance(0.02) ? 0.6 * std::abs(normal(random)) : 0;
      const double loss = 1.5 + 4 * std::exp(-step / 200.0) + 0.1 * shared + tail;
      const double norm = std::exp(0.35 * normal(random) + 0.2 * shared + 0.5 * tail);
      ASSERT_EQ(guard.judge(loss, norm), Verdict::kApply) << "seed " << seed << ", step " << step;
    }
  }
}

TEST(LossGuard, SkippedStepsDoNotEnterTheWindow) {
  LossGuard guard = after_calm_steps();
  const auto before = guard.state();
  guard.judge(6, 30);
  EXPECT_EQ(guard.state().losses, before.losses);
  EXPECT_EQ(guard.state().norms, before.norms);
  EXPECT_EQ(guard.state().skipped, 1u);
}

TEST(LossGuard, StopsTheRunAfterSoManySkipsInARowAndNamesTheStep) {
  LossGuard guard({.skips_max = 3});
  for (std::uint64_t step = 0; step < 2; ++step) {
    guard.judge(kNan, 1);
    EXPECT_TRUE(guard.check(step, kNan, 1));
  }
  guard.judge(kNan, 1);
  const Status status = guard.check(1234, kNan, 1);
  ASSERT_FALSE(status.has_value());
  EXPECT_EQ(status.error().code, Errc::kNonFinite);
  EXPECT_NE(status.error().message.find("step 1234: 3 steps in a row"), std::string::npos);
  EXPECT_NE(status.error().message.find("learning_rate"), std::string::npos);
}

TEST(LossGuard, ForgivesSkipsThatAreNotInARow) {
  LossGuard guard({.skips_max = 2});
  for (int i = 0; i < 10; ++i) {
    guard.judge(kNan, 1);
    EXPECT_TRUE(guard.check(0, kNan, 1));
    guard.judge(3, 1);
  }
  EXPECT_EQ(guard.state().skipped, 10u);
}

TEST(LossGuard, GoesOnFromItsState) {
  LossGuard guard = after_calm_steps();
  LossGuard other({}, guard.state());
  Prng random(9);
  for (int step = 0; step < 200; ++step) {
    const double loss = 3 + normal(random), norm = std::exp(2 * normal(random));
    EXPECT_EQ(guard.judge(loss, norm), other.judge(loss, norm));
  }
  EXPECT_EQ(guard.state(), other.state());
  EXPECT_EQ(guard.state().losses.size(), 128u);
}

}  // namespace
}  // namespace muster::trainer
