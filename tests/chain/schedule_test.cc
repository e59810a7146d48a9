#include "chain/economy/schedule.h"

#include <gtest/gtest.h>

namespace muster::chain {
namespace {

TEST(Schedule, RunsATempoAfterTheLastEpoch) {
  const EpochClock clock{360, 1000, 0, 0};
  EXPECT_FALSE(is_epoch_due(clock, 1359));
  EXPECT_TRUE(is_epoch_due(clock, 1360));
  EXPECT_EQ(next_epoch_block(clock), 1360u);
  EXPECT_EQ(blocks_until_epoch(clock, 1300), 60u);
  EXPECT_EQ(blocks_until_epoch(clock, 2000), 0u);
}

TEST(Schedule, WithoutATempoNeverRuns) {
  const EpochClock clock{0, 0, 5, 1'000'000};
  EXPECT_FALSE(is_epoch_due(clock, UINT64_MAX));
  EXPECT_EQ(next_epoch_block(clock), std::nullopt);
  EXPECT_EQ(blocks_until_epoch(clock, 5), UINT64_MAX);
}

TEST(Schedule, RunsWhenAskedFor) {
  const EpochClock clock{360, 1000, 1100, 0};
  EXPECT_FALSE(is_epoch_due(clock, 1099));
  EXPECT_TRUE(is_epoch_due(clock, 1100));
  EXPECT_EQ(next_epoch_block(clock), 1100u);
}

TEST(Schedule, RunsWhenLongOverdue) {
  EXPECT_FALSE(is_epoch_due({50'400, 1000, 0, 50'400}, 1001));
  EXPECT_TRUE(is_epoch_due({50'400, 1000, 0, 50'401}, 1001));
}

TEST(Schedule, SaturatesAtTheEndOfTime) {
  EXPECT_EQ(next_epoch_block({360, UINT64_MAX, 0, 0}), UINT64_MAX);
  EXPECT_FALSE(is_epoch_due({360, UINT64_MAX, 0, 0}, 5));
}

TEST(Schedule, SpreadsNewSubnets) {
  EXPECT_EQ(first_epoch_anchor(1000, 361, 360), 999u);
  EXPECT_EQ(first_epoch_anchor(0, 5, 360), 0u);
  EXPECT_EQ(first_epoch_anchor(1000, 5, 0), 1000u);
}

TEST(ActivityCutoff, IsAtLeastOneBlock) {
  EXPECT_EQ(activity_cutoff_blocks(13'889, 360), 5000u);
  EXPECT_EQ(activity_cutoff_blocks(0, 360), 1u);
  EXPECT_EQ(activity_cutoff_blocks(UINT32_MAX, 65535), std::uint64_t{UINT32_MAX} * 65535 / 1000);
}

TEST(Reveal, IsPossibleInOneEpoch) {
  EXPECT_FALSE(is_in_reveal_window(5, 2, 6));
  EXPECT_TRUE(is_in_reveal_window(5, 2, 7));
  EXPECT_FALSE(is_commit_expired(5, 2, 7));
  EXPECT_TRUE(is_commit_expired(5, 2, 8));
  EXPECT_FALSE(is_commit_expired(UINT64_MAX, 2, UINT64_MAX));
}

TEST(Reveal, CommitsBelongToTheEpochThatIsDue) {
  EXPECT_EQ(epoch_of_commit(7, false), 7u);
  EXPECT_EQ(epoch_of_commit(7, true), 8u);
  EXPECT_EQ(epoch_of_commit(UINT64_MAX, true), UINT64_MAX);
}

}  // namespace
}  // namespace muster::chain
