#include "trainer/rounds/state_file.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

#include "tests/temporary_directory.h"

namespace muster::trainer {
namespace {

class StateFileTest : public ::testing::Test {
 protected:
  muster::testing::TemporaryDirectory directory_;
  compression::Layout layout_ = compression::Layout::make({{"a", {40, 50}}, {"b", {77}}}).value();
  StateHead head_{.tag = 9,
                  .optimizer_steps = 31,
                  .pending = true,
                  .entries = 3,
                  .optimizer = {{"adamw.first", 2077}, {"adamw.second", 77}}};
  std::filesystem::path path_ = directory_ / "trainer.state";

  void write() {
    auto file = StateFile::create(path_, layout_, head_).value();
    std::iota(file.theta().begin(), file.theta().end(), 1.0f);
    std::iota(file.residual().begin(), file.residual().end(), 10000.0f);
    std::iota(file.optimizer(1).begin(), file.optimizer(1).end(), 20000.0f);
    if (head_.pending) std::iota(file.delta().begin(), file.delta().end(), 30000.0f);
    for (std::size_t i = 0; i < head_.entries; ++i) {
      file.indices()[i] = 5 * i;
      file.originals()[i] = static_cast<float>(i);
    }
    ASSERT_TRUE(file.commit());
  }
  [[nodiscard]] Errc refusal() const { return StateFile::open(path_, layout_).error().code; }
  void spoil(std::size_t at, std::uint8_t by) {
    Bytes bytes = read_file(path_, 1u << 20).value();
    bytes[at] ^= by;
    ASSERT_TRUE(replace_file(path_, bytes));
  }
};

TEST_F(StateFileTest, GivesBackWhatWasWritten) {
  write();
  const auto file = StateFile::open(path_, layout_).value();
  EXPECT_EQ(file.head(), head_);
  EXPECT_EQ(file.theta().back(), 2077.0f);
  EXPECT_EQ(file.residual().front(), 10000.0f);
  EXPECT_EQ(file.optimizer(0).size(), 2077u);
  EXPECT_EQ(file.optimizer(1).back(), 20076.0f);
  EXPECT_EQ(file.delta().back(), 32076.0f);
  EXPECT_EQ(file.indices()[2], 10u);
  EXPECT_EQ(file.originals()[2], 2.0f);
}

TEST_F(StateFileTest, IsNotThereBeforeItIsCommitted) {
  write();
  head_.tag = 10;
  {
    const auto begun = StateFile::create(path_, layout_, head_);
    ASSERT_TRUE(begun);
    EXPECT_EQ(StateFile::open(path_, layout_).value().head().tag, 9u);
  }
  write();
  EXPECT_EQ(StateFile::open(path_, layout_).value().head().tag, 10u);
}

TEST_F(StateFileTest, IsWrittenByWhoJoinsIt) {
  auto file = StateFile::create(path_, layout_, head_).value();
  {
    auto joined = StateFile::join(path_, layout_).value();
    std::ranges::fill(joined.residual().subspan(100, 50), 4.0f);
  }
  std::iota(file.indices().begin(), file.indices().end(), 1);
  ASSERT_TRUE(file.commit());
  EXPECT_EQ(StateFile::open(path_, layout_).value().residual()[149], 4.0f);
}

TEST_F(StateFileTest, NamesEveryKindOfDamage) {
  write();
  spoil(8, 64);
  EXPECT_EQ(refusal(), Errc::kVersion);
  spoil(8, 64);
  spoil(1000, 1);
  EXPECT_EQ(refusal(), Errc::kBadHash);
  spoil(1000, 1);
  EXPECT_TRUE(StateFile::open(path_, layout_));
  spoil(0, 1);
  EXPECT_EQ(refusal(), Errc::kMalformed);
  ASSERT_TRUE(replace_file(path_, bytes_of("MUSTERTR\4\0\0\0hello")));
  EXPECT_NE(refusal(), Errc::kIo);
  std::filesystem::remove(path_);
  EXPECT_EQ(refusal(), Errc::kNotFound);
}

TEST_F(StateFileTest, RefusesAnotherModelsAndEntriesOutOfOrder) {
  write();
  const auto other = compression::Layout::make({{"a", {50, 40}}, {"b", {77}}}).value();
  EXPECT_EQ(StateFile::open(path_, other).error().code, Errc::kInvalidArgument);
  auto file = StateFile::create(path_, layout_, head_).value();
  std::ranges::copy(std::vector<std::uint64_t>{7, 7, 8}, file.indices().begin());
  ASSERT_TRUE(file.commit());
  EXPECT_EQ(refusal(), Errc::kMalformed);
  auto high = StateFile::create(path_, layout_, head_).value();
  std::ranges::copy(std::vector<std::uint64_t>{7, 8, 2077}, high.indices().begin());
  ASSERT_TRUE(high.commit());
  EXPECT_EQ(refusal(), Errc::kMalformed);
}

}  // namespace
}  // namespace muster::trainer
