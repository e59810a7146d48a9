#include "state/checkpoint.h"

#include <gtest/gtest.h>

#include "base/file.h"
#include "tests/temporary_directory.h"

namespace muster::state {
namespace {

class CheckpointTest : public ::testing::Test {
 protected:
  muster::testing::TemporaryDirectory directory_;
  compression::Layout layout_ = compression::Layout::make({{"a", {10}}}).value();
  std::vector<float> theta_ = std::vector<float>(10, 1.5f);
  std::vector<float> residual_ = std::vector<float>(10, -0.5f);

  Status write() {
    return write_checkpoint(directory_ / "c", layout_, bytes_of("round 7"), theta_, residual_);
  }
};

TEST_F(CheckpointTest, RoundTrips) {
  ASSERT_TRUE(write());
  const Checkpoint read = read_checkpoint(directory_ / "c", layout_).value();
  const ByteSpan note = bytes_of("round 7");
  EXPECT_EQ(read.note, Bytes(note.begin(), note.end()));
  EXPECT_EQ(read.theta, theta_);
  EXPECT_EQ(read.downlink_residual, residual_);
}

TEST_F(CheckpointTest, IsRefusedAfterAnyFlippedByte) {
  ASSERT_TRUE(write());
  const Bytes good = read_file(directory_ / "c", 1 << 20).value();
  for (std::size_t i = 0; i < good.size(); ++i) {
    Bytes bad = good;
    bad[i] ^= 0x40;
    ASSERT_TRUE(replace_file(directory_ / "c", bad));
    EXPECT_FALSE(read_checkpoint(directory_ / "c", layout_)) << "byte " << i;
  }
}

TEST_F(CheckpointTest, IsRefusedWithAValueThatIsNotFinite) {
  theta_[3] = std::numeric_limits<float>::quiet_NaN();
  ASSERT_TRUE(write());
  EXPECT_EQ(read_checkpoint(directory_ / "c", layout_).error().code, Errc::kNonFinite);
}

TEST_F(CheckpointTest, IsRefusedForAnotherModel) {
  ASSERT_TRUE(write());
  const auto other = compression::Layout::make({{"b", {10}}}).value();
  EXPECT_EQ(read_checkpoint(directory_ / "c", other).error().code, Errc::kInvalidArgument);
}

}  // namespace
}  // namespace muster::state
