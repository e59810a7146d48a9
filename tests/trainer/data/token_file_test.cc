#include "trainer/data/token_file.h"

#include <gtest/gtest.h>

#include <array>

#include "tests/temporary_directory.h"

namespace muster::trainer {
namespace {

class TokenFileTest : public ::testing::Test {
 protected:
  muster::testing::TemporaryDirectory directory_;
  std::filesystem::path path_ = directory_ / "t.bin";
  Bytes header(std::uint32_t magic, std::uint32_t version, std::uint32_t count) {
    ByteWriter writer;
    for (std::uint32_t word : {magic, version, count}) writer.write(word);
    writer.append(Bytes(1024 - 12));
    return std::move(writer).take();
  }
};

TEST_F(TokenFileTest, ReadsBackBytesAsTokens) {
  ASSERT_TRUE(write_byte_tokens(path_, Bytes{10, 20, 255}));
  const TokenFile file = TokenFile::open(path_).value();
  EXPECT_EQ(file.tokens(), 3u);
  std::array<std::int64_t, 2> tokens{};
  ASSERT_TRUE(file.read(1, tokens));
  EXPECT_EQ(tokens, (std::array<std::int64_t, 2>{20, 255}));
  EXPECT_EQ(file.read(2, tokens).error().code, Errc::kNotFound);
}

TEST_F(TokenFileTest, ReadsWideTokens) {
  Bytes bytes = header(20240801, 7, 1);
  for (const std::uint8_t b : Bytes{1, 0, 1, 0}) bytes.push_back(b);
  ASSERT_TRUE(replace_file(path_, bytes));
  std::array<std::int64_t, 1> tokens{};
  ASSERT_TRUE(TokenFile::open(path_).value().read(0, tokens));
  EXPECT_EQ(tokens[0], 65537);
}

TEST_F(TokenFileTest, RefusesOtherFilesVersionsAndLengthsByName) {
  ASSERT_TRUE(replace_file(path_, Bytes(2000, 1)));
  EXPECT_EQ(TokenFile::open(path_).error().code, Errc::kMalformed);
  ASSERT_TRUE(replace_file(path_, header(20240520, 2, 0)));
  EXPECT_EQ(TokenFile::open(path_).error().code, Errc::kVersion);
  ASSERT_TRUE(replace_file(path_, header(20240520, 1, 5)));
  EXPECT_EQ(TokenFile::open(path_).error().code, Errc::kTruncated);
  EXPECT_EQ(TokenFile::open(directory_ / "none").error().code, Errc::kNotFound);
}

TEST_F(TokenFileTest, RootChangesWithEveryByte) {
  ASSERT_TRUE(write_byte_tokens(path_, Bytes{1, 2, 3}));
  const Hash root = TokenFile::open(path_).value().root();
  ASSERT_TRUE(write_byte_tokens(path_, Bytes{1, 2, 4}));
  EXPECT_NE(TokenFile::open(path_).value().root(), root);
}

}  // namespace
}  // namespace muster::trainer
