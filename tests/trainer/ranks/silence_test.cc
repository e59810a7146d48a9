#include "trainer/ranks/silence.h"

#include <gtest/gtest.h>

namespace muster::trainer {
namespace {

constexpr std::uint32_t kTraining = 1, kWriting = 2;

class SilenceTest : public ::testing::Test {
 protected:
  void say_nothing_for(TimeMs duration) {
    for (const TimeMs end = now_ + duration; now_ < end;)
      silence_.pass(now_ += std::min<TimeMs>(100, end - now_));
  }
  void step_of(TimeMs duration) {
    say_nothing_for(duration);
    silence_.heard();
  }
  Silence silence_;
  TimeMs now_ = 5000;
};

TEST_F(SilenceTest, IsOverAfterTheFloorWhereStepsAreShort) {
  silence_.begin(kTraining, Silence::kSteps, now_);
  step_of(400);
  say_nothing_for(Silence::kSteps.floor_ms);
  EXPECT_FALSE(silence_.is_over());
  say_nothing_for(100);
  EXPECT_TRUE(silence_.is_over());
  EXPECT_EQ(silence_.longest_ms(), 400);
}

TEST_F(SilenceTest, IsHeldAgainstTheSlowestStepOfASlowMachine) {
  silence_.begin(kTraining, Silence::kSteps, now_);
  step_of(60'000);
  step_of(20'000);
  say_nothing_for(Silence::kSteps.multiple * 60'000);
  EXPECT_FALSE(silence_.is_over());
  say_nothing_for(100);
  EXPECT_TRUE(silence_.is_over());
}

TEST_F(SilenceTest, IsNeverOverBeforeTheFirstStep) {
  silence_.begin(kTraining, Silence::kSteps, now_);
  say_nothing_for(10 * Silence::kSteps.floor_ms);
  EXPECT_FALSE(silence_.is_over());
}

TEST_F(SilenceTest, IsOfTheSameWorkOnlyAndOutlivesIt) {
  silence_.begin(kTraining, Silence::kSteps, now_);
  step_of(400);
  silence_.begin(kWriting, Silence::kAnswers, now_);
  say_nothing_for(2 * Silence::kAnswers.floor_ms);
  EXPECT_FALSE(silence_.is_over()) << "nothing was ever written before";
  silence_.begin(kTraining, Silence::kSteps, now_);
  say_nothing_for(Silence::kSteps.floor_ms + 100);
  EXPECT_TRUE(silence_.is_over());
}

TEST_F(SilenceTest, DoesNotCountWhatAMachineSlept) {
  silence_.begin(kTraining, Silence::kSteps, now_);
  step_of(400);
  silence_.pass(now_ += 3'600'000);
  EXPECT_EQ(silence_.silent_ms(), 1000);
  EXPECT_FALSE(silence_.is_over());
}

}  // namespace
}  // namespace muster::trainer
