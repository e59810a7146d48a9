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
  EXPECT_EQ(tail_ms({1500, 1000, 1100}, 66), 400u);
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

TEST(PhaseEnd, IsNowWhenAllExpectedHaveDelivered) {
  EXPECT_EQ(phase_end({3, 3, 50, std::nullopt}, 1000, 100), 50);
}

TEST(PhaseEnd, IsTheHardBoundWithoutAQuorum) {
  EXPECT_EQ(phase_end({3, 1, 50, std::nullopt}, 1000, 100), 1050);
}

TEST(PhaseEnd, IsTheGraceAfterTheQuorumButNeverAfterTheHardBound) {
  EXPECT_EQ(phase_end({3, 2, 50, 200}, 1000, 100), 300);
  EXPECT_EQ(phase_end({3, 2, 50, 1040}, 1000, 100), 1050);
}

TEST(Quorum, RoundsUp) {
  EXPECT_EQ(quorum_of(3, 66), 2u);
  EXPECT_EQ(quorum_of(6, 66), 4u);
  EXPECT_EQ(quorum_of(4, 50), 2u);
}

}  // namespace
}  // namespace muster::protocol
