#include "trainer/optim/schedule.h"

#include <gtest/gtest.h>

namespace muster::trainer {
namespace {

const Schedule kSchedule{1.0, 10, 110, 0.1};

TEST(Schedule, WarmsUpLinearly) {
  EXPECT_DOUBLE_EQ(learning_rate(kSchedule, 0), 0.1);
  EXPECT_DOUBLE_EQ(learning_rate(kSchedule, 9), 1.0);
}

TEST(Schedule, FallsAlongACosineToItsShare) {
  EXPECT_DOUBLE_EQ(learning_rate(kSchedule, 10), 1.0);
  EXPECT_NEAR(learning_rate(kSchedule, 60), 0.55, 1e-12);
  EXPECT_NEAR(learning_rate(kSchedule, 110), 0.1, 1e-12);
  EXPECT_NEAR(learning_rate(kSchedule, 1000), 0.1, 1e-12) << "and stays there";
}

TEST(Schedule, IsConstantWithoutAnEnd) {
  EXPECT_DOUBLE_EQ(learning_rate({2.0, 0, 0, 0.1}, 12345), 2.0);
}

TEST(Schedule, IsConstantWhenToldSo) {
  const Schedule constant{
      .peak = 2.0, .warmup_steps = 4, .total_steps = 10, .shape = ScheduleShape::kConstant};
  EXPECT_DOUBLE_EQ(learning_rate(constant, 1), 1.0);
  for (std::uint64_t step = 4; step < 20; ++step)
    EXPECT_DOUBLE_EQ(learning_rate(constant, step), 2.0);
}

TEST(Schedule, StaysAtThePeakUntilTheDecayOfWsd) {
  Schedule wsd{.peak = 1.0, .warmup_steps = 10, .total_steps = 100, .shape = ScheduleShape::kWsd};
  for (std::uint64_t step = 9; step <= 80; ++step) EXPECT_DOUBLE_EQ(learning_rate(wsd, step), 1.0);
  EXPECT_DOUBLE_EQ(learning_rate(wsd, 85), 0.5) << "1 − √(5 / 20)";
  EXPECT_DOUBLE_EQ(learning_rate(wsd, 100), 0.0);
  EXPECT_DOUBLE_EQ(learning_rate(wsd, 1000), 0.0);
  EXPECT_GT(learning_rate(wsd, 99), 0.0) << "the last step still learns";
  wsd.decay_form = DecayForm::kLinear;
  wsd.decay_to = 0.2;
  EXPECT_DOUBLE_EQ(learning_rate(wsd, 90), 0.6);
  EXPECT_DOUBLE_EQ(learning_rate(wsd, 100), 0.2);
}

TEST(Schedule, DecaysRightAfterAWarmUpThatReachesIntoTheDecay) {
  const Schedule wsd{
      .peak = 1.0, .warmup_steps = 90, .total_steps = 100, .shape = ScheduleShape::kWsd};
  EXPECT_DOUBLE_EQ(learning_rate(wsd, 89), 1.0);
  EXPECT_DOUBLE_EQ(learning_rate(wsd, 90), 1.0);
  EXPECT_LT(learning_rate(wsd, 91), 1.0);
}

TEST(Schedule, NeverJumpsUpAfterTheWarmUp) {
  for (const ScheduleShape shape :
       {ScheduleShape::kCosine, ScheduleShape::kWsd, ScheduleShape::kConstant}) {
    const Schedule schedule{.peak = 3e-3, .warmup_steps = 7, .total_steps = 61, .shape = shape};
    for (std::uint64_t step = 7; step < 70; ++step)
      EXPECT_LE(learning_rate(schedule, step + 1), learning_rate(schedule, step));
  }
}

}  // namespace
}  // namespace muster::trainer
