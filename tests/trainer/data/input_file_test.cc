#include "trainer/data/input_file.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "base/prng.h"
#include "tests/temporary_directory.h"

namespace muster::trainer {
namespace {

class InputFileTest : public ::testing::Test {
 protected:
  InputFile file_with(std::string_view content) {
    MUSTER_CHECK(replace_file(directory_ / "f", bytes_of(content)).has_value(), "");
    return InputFile::open(directory_ / "f").value();
  }
  static std::vector<std::string> parts(InputFile file, std::size_t bytes) {
    std::vector<std::string> all;
    while (const auto part = file.part(bytes).value()) all.emplace_back(*part);
    return all;
  }
  static std::vector<std::string> lines(InputFile file) {
    std::vector<std::string> all;
    while (const auto line = file.line(100).value()) all.emplace_back(*line);
    return all;
  }
  muster::testing::TemporaryDirectory directory_;
};

TEST_F(InputFileTest, SplitsLinesWithAndWithoutALastEnd) {
  EXPECT_EQ(lines(file_with("a\n\nbc")), (std::vector<std::string>{"a", "", "bc"}));
  EXPECT_EQ(lines(file_with("a\n")), (std::vector<std::string>{"a"}));
  EXPECT_TRUE(lines(file_with("")).empty());
}

TEST_F(InputFileTest, RefusesALongLineByItsNumber) {
  auto file = file_with("ok\n" + std::string(101, 'x') + "\n");
  EXPECT_TRUE(file.line(100));
  const auto line = file.line(100);
  ASSERT_FALSE(line);
  EXPECT_EQ(line.error().code, Errc::kTooLarge);
  EXPECT_NE(line.error().message.find("f:2: a line over 100 bytes"), std::string::npos)
      << line.error().message;
}

TEST_F(InputFileTest, TakesALineOfExactlyTheLimit) {
  EXPECT_TRUE(file_with(std::string(100, 'x') + "\n").line(100));
  EXPECT_TRUE(file_with(std::string(100, 'x')).line(100));
  EXPECT_FALSE(file_with(std::string(101, 'x')).line(100));
}

TEST_F(InputFileTest, ReadsLinesLongerThanItsBuffer) {
  const std::string line(3u << 20, 'y');
  auto file = file_with("a\n" + line + "\nb\n");
  EXPECT_EQ(*file.line(4u << 20).value(), "a");
  EXPECT_EQ(*file.line(4u << 20).value(), line);
  EXPECT_EQ(*file.line(4u << 20).value(), "b");
}

TEST_F(InputFileTest, CutsPartsBehindLineEndsThenBlanksThenCharacters) {
  EXPECT_EQ(parts(file_with("aaaa\nbb cc dd"), 8),
            (std::vector<std::string>{"aaaa\n", "bb cc dd"}));
  EXPECT_EQ(parts(file_with("a\nbbb cccc"), 8), (std::vector<std::string>{"a\nbbb ", "cccc"}));
  EXPECT_EQ(parts(file_with("aaaaaaaé"), 8), (std::vector<std::string>{"aaaaaaa", "é"}));
  EXPECT_EQ(parts(file_with("aaaaa\xf0\x9f\x8c\x8d"), 8),
            (std::vector<std::string>{"aaaaa", "\xf0\x9f\x8c\x8d"}));
}

TEST_F(InputFileTest, PartsAddUpToTheFileWhateverItsBytes) {
  Prng random(7);
  for (int trial = 0; trial < 30; ++trial) {
    std::string content;
    for (std::uint64_t i = random.below(3000); i > 0; --i)
      content.push_back(static_cast<char>(random.below(8) == 0 ? '\n' : random.below(256)));
    std::string joined;
    for (const std::string& part : parts(file_with(content), 1 + random.below(200))) {
      EXPECT_FALSE(part.empty());
      joined += part;
    }
    EXPECT_EQ(joined, content);
  }
}

TEST_F(InputFileTest, ASilentPipeCanBeGivenUp) {
  const auto pipe = directory_ / "pipe";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  const FileHandle writer(::open(pipe.c_str(), O_RDWR | O_CLOEXEC));
  int asked = 0;
  auto file = InputFile::open(pipe, [&]() -> Status {
                if (++asked < 2) return {};
                return Error{Errc::kCancelled, "enough"};
              }).value();
  const auto line = file.line(100);
  ASSERT_FALSE(line);
  EXPECT_EQ(line.error().code, Errc::kCancelled);
  EXPECT_EQ(asked, 2);
}

TEST_F(InputFileTest, NamesAMissingFile) {
  const auto file = InputFile::open(directory_ / "none");
  ASSERT_FALSE(file);
  EXPECT_EQ(file.error().code, Errc::kNotFound);
}

}  // namespace
}  // namespace muster::trainer
