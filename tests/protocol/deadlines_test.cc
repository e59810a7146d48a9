#include "protocol/deadlines.h"

#include <gtest/gtest.h>

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
  const std::vector<std::vector<std::uint32_t>> rounds{{1000, 1100, 1500}, {1000, 1000, 1300},
                                                       {900, 1000, 4000}};
  EXPECT_EQ(grace_ms(timing(), rounds), 2u * 400);
}

TEST(Grace, StaysWithinItsBounds) {
  const std::vector<std::vector<std::uint32_t>> quick{{10, 10, 10}}, slow{{0, 0, 90'000}};
  EXPECT_EQ(grace_ms(timing(), quick), 100u);
  EXPECT_EQ(grace_ms(timing(), slow), 5000u);
}

TEST(Grace, LooksAtTheNewest16RoundsOnly) {
  std::vector<std::vector<std::uint32_t>> rounds(100, {0, 0, 2000});
  for (std::size_t i = 84; i < 100; ++i) rounds[i] = {0, 0, 300};
  EXPECT_EQ(grace_ms(timing(), rounds), 600u);
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
