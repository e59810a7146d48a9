#include "protocol/deadlines.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace muster::protocol {
namespace {

TimingParams timing() {
  TimingParams timing;
  timing.grace_min_ms = 100;
  timing.grace_max_ms = 5000;
  timing.quorum_percent = 66;
  return timing;
}

TEST(Grace, IsTheLargestBeforeAnythingIsKnown) { EXPECT_EQ(grace_ms(timing(), {}), 5000u); }

TEST(Grace, IsTwiceTheMedianTailAfterTheQuorum) {
  EXPECT_EQ(tail_ms({{1500, 1}, {1000, 1}, {1100, 1}}, 66), 400u);
  EXPECT_EQ(tail_ms({}, 66), std::nullopt);
  EXPECT_EQ(grace_ms(timing(), std::vector<std::uint32_t>{400, 300, 3000}), 2u * 400);
}

TEST(Grace, StaysWithinItsBounds) {
  const std::vector<std::uint32_t> quick{0}, slow{90'000};
  EXPECT_EQ(grace_ms(timing(), quick), 100u);
  EXPECT_EQ(grace_ms(timing(), slow), 5000u);
}

TEST(Grace, LooksAtTheNewest16RoundsOnly) {
  std::vector<std::uint32_t> tails(100, 2000);
  std::fill(tails.begin() + 84, tails.end(), 300);
  EXPECT_EQ(grace_ms(timing(), tails), 600u);
}

TEST(Grace, IsNotStretchedByTheLastTenthOfTheWeight) {
  EXPECT_EQ(tail_ms({{1000, 60}, {1300, 30}, {9000, 10}}, 60), 300u);
  EXPECT_EQ(tail_ms({{1000, 60}, {1300, 29}, {9000, 11}}, 60), 8000u);
}

TEST(Grace, CountsArrivalsThatWeighNothingByTheirNumber) {
  EXPECT_EQ(tail_ms({{1000, 0}, {1100, 0}, {1500, 0}}, 66), 400u);
}

TEST(PhaseEnd, IsNowWhenAllAwaitedHaveDelivered) {
  EXPECT_EQ(phase_end({true, 50, std::nullopt}, 1000, 100), 50);
}

TEST(PhaseEnd, IsTheHardBoundWithoutAQuorum) {
  EXPECT_EQ(phase_end({false, 50, std::nullopt}, 1000, 100), 1050);
}

TEST(PhaseEnd, IsTheGraceAfterTheQuorumButNeverAfterTheHardBound) {
  EXPECT_EQ(phase_end({false, 50, 200}, 1000, 100), 300);
  EXPECT_EQ(phase_end({false, 50, 1040}, 1000, 100), 1050);
}

Turnout turnout_of(const std::vector<Attendant>& attendants) { return turnout(attendants, 66); }

TEST(TurnoutTest, IsAQuorumByWeightAndNotByNumber) {
  EXPECT_FALSE(
      turnout_of({{1, true, true}, {1, true, true}, {1, true, true}, {10, true, false}}).is_quorum);
  EXPECT_TRUE(turnout_of({{1, true, false}, {1, true, false}, {1, true, false}, {10, true, true}})
                  .is_quorum);
}

TEST(TurnoutTest, CountsEqualWeightsAsSoManyMembers) {
  EXPECT_TRUE(turnout_of({{5, true, true}, {5, true, true}, {5, true, false}}).is_quorum);
  EXPECT_FALSE(turnout_of({{5, true, true}, {5, true, false}}).is_quorum);
}

TEST(TurnoutTest, IsCompleteWhenAllExpectedHaveArrived) {
  const auto without_one = turnout_of({{5, true, true}, {5, true, true}, {5, false, false}});
  EXPECT_TRUE(without_one.is_complete);
  EXPECT_TRUE(without_one.is_quorum);
  EXPECT_FALSE(turnout_of({{5, true, true}, {5, true, true}, {0, true, false}}).is_complete);
}

TEST(TurnoutTest, AwaitsEverybodyWhereTheExpectedHoldLessThanHalfOfTheWeight) {
  const auto of_idle =
      turnout_of({{0, true, true}, {0, true, true}, {7, false, false}, {7, false, false}});
  EXPECT_FALSE(of_idle.is_complete);
  EXPECT_FALSE(of_idle.is_quorum);
  EXPECT_TRUE(turnout_of({{0, true, false}, {7, false, true}, {7, false, true}}).is_quorum);
}

TEST(TurnoutTest, OfNobodyIsComplete) {
  EXPECT_TRUE(turnout_of({}).is_complete);
  EXPECT_TRUE(turnout_of({}).is_quorum);
}

}  // namespace
}  // namespace muster::protocol
