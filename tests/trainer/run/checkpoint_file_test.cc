#include "trainer/run/checkpoint_file.h"

#include <gtest/gtest.h>

#include "tests/temporary_directory.h"
#include "trainer/run/checkpoint_head.h"

namespace muster::trainer {
namespace {

class CheckpointFileTest : public ::testing::Test {
 protected:
  muster::testing::TemporaryDirectory directory_;
  std::filesystem::path path_ = directory_ / "a.muster";
  CheckpointHead head_{.binding = {{"model.layers", "2"}, {"train.seed", "1"}},
                       .noted = {{"train.steps", "100"}},
                       .step = 7,
                       .sequences = 28,
                       .optimizer_steps = 6,
                       .guard = {{3.5, 3.25}, {1, 2}, 1, 0},
                       .arrays = {}};
  std::vector<float> theta_{1, 2, 3}, moment_{4, 5};
  std::vector<NamedState> arrays_{{"theta", theta_}, {"adamw.first", moment_}};

  Bytes written() {
    EXPECT_TRUE(write_checkpoint(path_, head_, arrays_));
    return read_file(path_, 1 << 20).value();
  }
  // The error of a file with these bytes.
  Errc error_of(const Bytes& bytes) {
    EXPECT_TRUE(replace_file(path_, bytes));
    const auto file = CheckpointFile::open(path_);
    if (file) return Errc::kClosed;
    EXPECT_NE(file.error().message.find("a.muster"), std::string::npos);
    return file.error().code;
  }
};

TEST_F(CheckpointFileTest, ReadsBackWhatItWrote) {
  written();
  const auto file = CheckpointFile::open(path_);
  ASSERT_TRUE(file.has_value()) << file.error().message;
  CheckpointHead expected = head_;
  expected.arrays = {{"theta", 3}, {"adamw.first", 2}};
  EXPECT_EQ(file->head(), expected);
  std::vector<float> moment(2), theta(3);
  const std::vector<NamedState> targets{{"adamw.first", moment}, {"theta", theta}};
  ASSERT_TRUE(file->restore(targets));
  EXPECT_EQ(theta, theta_);
  EXPECT_EQ(moment, moment_);
}

TEST_F(CheckpointFileTest, LeavesNoTemporaryFile) {
  written();
  std::size_t files = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(directory_.path()))
    ++files;
  EXPECT_EQ(files, 1u);
}

TEST_F(CheckpointFileTest, NoticesEveryFlippedBit) {
  const Bytes good = written();
  for (std::size_t i = 0; i < good.size(); ++i) {
    Bytes bad = good;
    bad[i] ^= 1;
    EXPECT_NE(error_of(bad), Errc::kClosed) << "byte " << i;
  }
}

TEST_F(CheckpointFileTest, NoticesEveryLength) {
  const Bytes good = written();
  for (std::size_t size = 0; size < good.size(); ++size)
    EXPECT_NE(error_of(Bytes(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(size))),
              Errc::kClosed);
  Bytes longer = good;
  longer.push_back(0);
  EXPECT_EQ(error_of(longer), Errc::kBadHash);
}

TEST_F(CheckpointFileTest, SaysWhatIsWrongWithAFile) {
  Bytes bytes = written();
  bytes[8] = 9;
  EXPECT_EQ(error_of(bytes), Errc::kVersion);
  bytes[0] = 'X';
  EXPECT_EQ(error_of(bytes), Errc::kMalformed);
  EXPECT_EQ(CheckpointFile::open(directory_ / "none").error().code, Errc::kNotFound);
}

TEST_F(CheckpointFileTest, RefusesArraysThatItDoesNotHave) {
  written();
  const auto file = CheckpointFile::open(path_).value();
  std::vector<float> three(3);
  const std::vector<NamedState> missing{{"muon.momentum", three}}, longer{{"adamw.first", three}};
  EXPECT_NE(file.restore(missing).error().message.find("muon.momentum"), std::string::npos);
  EXPECT_FALSE(file.restore(longer));
}

TEST_F(CheckpointFileTest, SaysWhenTheFolderIsMissing) {
  EXPECT_EQ(write_checkpoint(directory_ / "no/a.muster", head_, arrays_).error().code,
            Errc::kNotFound);
}

TEST(CheckpointHead, RefusesEveryCutAndHugeCounts) {
  const CheckpointHead head{
      .binding = {{"a", "b"}}, .noted = {}, .guard = {{1}, {2}, 0, 0}, .arrays = {{"theta", 3}}};
  const Bytes good = encode_head(head);
  EXPECT_EQ(decode_head(good).value(), head);
  for (std::size_t size = 0; size < good.size(); ++size)
    EXPECT_FALSE(decode_head(ByteSpan(good).first(size)));
  for (std::size_t i = 0; i + 4 <= good.size(); ++i) {
    Bytes bad = good;
    std::fill_n(bad.begin() + static_cast<std::ptrdiff_t>(i), 4, 0xff);
    static_cast<void>(decode_head(bad));  // neither crashes nor allocates what is not there
  }
}

TEST(FirstDifference, NamesTheFirstFieldAndBothValues) {
  const std::vector<Setting> then{{"a", "1"}, {"b", "2"}, {"c", "3"}};
  EXPECT_FALSE(first_difference(then, then));
  const auto changed =
      first_difference(then, std::vector<Setting>{{"a", "1"}, {"b", "5"}, {"c", "9"}});
  EXPECT_EQ(changed->name + changed->then + changed->now, "b25");
  const auto gone = first_difference(then, std::vector<Setting>{{"a", "1"}, {"b", "2"}});
  EXPECT_EQ(gone->name + gone->then + gone->now, "c3-");
  const auto fresh = first_difference(then, std::vector<Setting>{{"d", "4"}});
  EXPECT_EQ(fresh->name + fresh->then + fresh->now, "d-4");
}

}  // namespace
}  // namespace muster::trainer
