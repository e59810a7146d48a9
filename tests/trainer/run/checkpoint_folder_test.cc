#include "trainer/run/checkpoint_folder.h"

#include <gtest/gtest.h>

#include "tests/temporary_directory.h"
#include "trainer/run/checkpoint_writer.h"

namespace muster::trainer {
namespace {

class CheckpointFolderTest : public ::testing::Test {
 protected:
  muster::testing::TemporaryDirectory directory_;
  CheckpointFolder folder_{directory_ / "checkpoints"};
  std::vector<Setting> binding_{{"model.layers", "2"}}, noted_{{"train.steps", "100"}};
  std::vector<float> theta_{1, 2, 3};
  std::vector<NamedState> arrays_{{"theta", theta_}};

  CheckpointHead head(std::uint64_t step) const {
    CheckpointHead made;
    made.binding = binding_;
    made.noted = noted_;
    made.step = step;
    return made;
  }
  void write(std::uint64_t step, std::uint32_t keep = 3) {
    ASSERT_TRUE(folder_.write(head(step), arrays_, keep));
  }
  void damage(std::uint64_t step) {
    Bytes bytes = read_file(folder_.path_of(step), 1 << 20).value();
    bytes[bytes.size() / 2] ^= 1;
    ASSERT_TRUE(replace_file(folder_.path_of(step), bytes));
  }
};

TEST_F(CheckpointFolderTest, KeepsTheNewestFew) {
  for (const std::uint64_t step : {10, 20, 30, 40}) write(step, 2);
  EXPECT_EQ(folder_.steps(), (std::vector<std::uint64_t>{30, 40}));
}

TEST_F(CheckpointFolderTest, OpensTheNewest) {
  for (const std::uint64_t step : {8, 9, 10, 100}) write(step);
  const auto opened = folder_.open_newest(binding_, noted_);
  ASSERT_TRUE(opened.has_value()) << opened.error().message;
  EXPECT_EQ(opened->file.head().step, 100u);
  EXPECT_TRUE(opened->notes.empty());
}

TEST_F(CheckpointFolderTest, FallsBackToTheOneBeforeADamagedOneAndSaysSo) {
  for (const std::uint64_t step : {10, 20, 30}) write(step);
  damage(30);
  damage(20);
  const auto opened = folder_.open_newest(binding_, noted_);
  ASSERT_TRUE(opened.has_value()) << opened.error().message;
  EXPECT_EQ(opened->file.head().step, 10u);
  ASSERT_EQ(opened->notes.size(), 2u);
  EXPECT_NE(opened->notes[0].find("step-000000000030.muster: damaged"), std::string::npos);
}

TEST_F(CheckpointFolderTest, IgnoresWhatACrashLeftBehind) {
  write(10);
  ASSERT_TRUE(
      replace_file(directory_ / "checkpoints/step-000000000020.muster.tmp", Bytes{1, 2, 3}));
  ASSERT_TRUE(replace_file(directory_ / "checkpoints/step-x.muster", Bytes{1}));
  EXPECT_EQ(folder_.steps(), std::vector<std::uint64_t>{10});
}

TEST_F(CheckpointFolderTest, SaysWhenThereIsNothingToGoOnFrom) {
  EXPECT_EQ(folder_.open_newest(binding_, noted_).error().code, Errc::kNotFound);
  write(10);
  damage(10);
  const auto opened = folder_.open_newest(binding_, noted_);
  ASSERT_FALSE(opened.has_value());
  EXPECT_EQ(opened.error().code, Errc::kNotFound);
  EXPECT_NE(opened.error().message.find("damaged"), std::string::npos);
}

TEST_F(CheckpointFolderTest, RefusesAnotherModelNamingFieldAndBothValues) {
  write(10);
  const auto opened = folder_.open_newest(std::vector<Setting>{{"model.layers", "3"}}, noted_);
  ASSERT_FALSE(opened.has_value());
  EXPECT_EQ(opened.error().code, Errc::kInvalidArgument);
  EXPECT_NE(opened.error().message.find("model.layers = 2, now it is 3"), std::string::npos);
}

TEST_F(CheckpointFolderTest, NotesSettingsThatChangedOnTheWay) {
  write(10);
  const auto opened = folder_.open_newest(binding_, std::vector<Setting>{{"train.steps", "200"}});
  ASSERT_TRUE(opened.has_value()) << opened.error().message;
  EXPECT_EQ(opened->notes, std::vector<std::string>{"train.steps was 100 and is 200 from here on"});
}

TEST_F(CheckpointFolderTest, TheWriterWritesTheStateAtTheTimeOfTheCall) {
  CheckpointWriter writer(folder_, 3);
  ASSERT_TRUE(writer.submit(head(5), arrays_));
  theta_[0] = 99;  // training goes on
  ASSERT_TRUE(writer.finish());
  const auto opened = folder_.open_newest(binding_, noted_);
  ASSERT_TRUE(opened.has_value()) << opened.error().message;
  std::vector<float> read(3);
  const std::vector<NamedState> targets{{"theta", read}};
  ASSERT_TRUE(opened->file.restore(targets));
  EXPECT_EQ(read, (std::vector<float>{1, 2, 3}));
}

TEST_F(CheckpointFolderTest, TheWriterLeavesOutWhatComesTooSoonAndLosesNothingElse) {
  std::uint64_t last = 0;
  {
    CheckpointWriter writer(folder_, 2);
    for (std::uint64_t step = 1; step <= 50; ++step)
      if (writer.submit(head(step), arrays_)) last = step;
  }
  EXPECT_EQ(folder_.steps().back(), last) << "the destructor waits";
}

TEST_F(CheckpointFolderTest, TheWriterTellsOfAnErrorOnce) {
  ASSERT_TRUE(replace_file(directory_ / "file", Bytes{}));
  CheckpointWriter writer(CheckpointFolder(directory_ / "file"), 1);
  ASSERT_TRUE(writer.submit(head(1), arrays_));
  EXPECT_FALSE(writer.finish());
  EXPECT_TRUE(writer.take_error());
}

}  // namespace
}  // namespace muster::trainer
