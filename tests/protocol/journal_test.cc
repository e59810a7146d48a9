#include "protocol/journal.h"

#include <gtest/gtest.h>

#include "protocol/signed_message.h"

namespace muster::protocol {
namespace {

// A node's journal as a crash and restarts leave it: which records does a state contain that was
// saved when there were so many?
class SavedExtentTest : public ::testing::Test {
 protected:
  void round() {
    records_.push_back(sign_message({}, RoundOpen{}, key_));
    records_.push_back(sign_message({}, Manifest{}, key_));
  }
  void restarted_after(std::uint64_t records) {
    records_.push_back(sign_message({}, Restarted{records}, key_));
  }
  std::vector<std::uint64_t> contained(std::uint64_t saved) {
    SavedExtent extent(saved);
    for (const Bytes& record : records_) EXPECT_TRUE(extent.take(record));
    std::vector<std::uint64_t> indices;
    for (std::uint64_t i = 0; i < records_.size(); ++i)
      if (extent.contains(i)) indices.push_back(i);
    return indices;
  }
  SigningKey key_{random_seed()};
  std::vector<Bytes> records_;
};

TEST_F(SavedExtentTest, IsWhatWasThereWhenTheStateWasSaved) {
  round();
  round();
  EXPECT_EQ(contained(2), (std::vector<std::uint64_t>{0, 1}));
  EXPECT_EQ(contained(4), (std::vector<std::uint64_t>{0, 1, 2, 3}));
}

TEST_F(SavedExtentTest, NeverHasARoundTwiceThatACrashMadeHappenAgain) {
  round();             // 0, 1: saved
  round();             // 2, 3: lost with the crash
  restarted_after(2);  // 4
  round();             // 5, 6: the same round again, and saved
  EXPECT_EQ(contained(7), (std::vector<std::uint64_t>{0, 1, 4, 5, 6}));
}

TEST_F(SavedExtentTest, HoldsThroughSeveralCrashesInTheSameRound) {
  round();
  round();
  restarted_after(2);
  round();  // 5, 6: lost again
  restarted_after(2);
  round();  // 8, 9
  EXPECT_EQ(contained(10), (std::vector<std::uint64_t>{0, 1, 7, 8, 9}));
}

TEST_F(SavedExtentTest, ANodeThatSavedNothingNewHasTheOldState) {
  round();
  round();
  restarted_after(2);
  EXPECT_EQ(contained(2), (std::vector<std::uint64_t>{0, 1}));
}

TEST_F(SavedExtentTest, AsksForARecordOnlyWhereRecordsFollowTheState) {
  round();
  SavedExtent whole(2), behind(1);
  for (const Bytes& record : records_) {
    EXPECT_TRUE(whole.take(record));
    EXPECT_TRUE(behind.take(record));
  }
  EXPECT_FALSE(whole.needs_restart_record());
  EXPECT_TRUE(behind.needs_restart_record());
}

TEST_F(SavedExtentTest, RefusesARestartAfterRecordsThatFollowIt) {
  SavedExtent extent(0);
  EXPECT_EQ(extent.take(sign_message({}, Restarted{5}, key_)).error().code, Errc::kMalformed);
}

}  // namespace
}  // namespace muster::protocol
