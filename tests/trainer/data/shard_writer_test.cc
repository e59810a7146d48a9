#include "trainer/data/shard_writer.h"

#include <gtest/gtest.h>

#include <numeric>

#include "tests/temporary_directory.h"
#include "trainer/data/token_file.h"

namespace muster::trainer {
namespace {

namespace fs = std::filesystem;

class ShardWriterTest : public ::testing::Test {
 protected:
  std::vector<std::int32_t> tokens_of(const Shard& shard) {
    const TokenFile file = TokenFile::open(directory_ / shard.file).value();
    std::vector<std::int32_t> tokens(file.tokens());
    (void)file.widen(0, tokens);
    EXPECT_EQ(file.tokens(), shard.tokens);
    EXPECT_EQ(file.root(), shard.root);
    return tokens;
  }
  [[nodiscard]] std::size_t files() const {
    return static_cast<std::size_t>(std::distance(fs::directory_iterator(directory_.path()), {}));
  }
  muster::testing::TemporaryDirectory directory_;
};

std::vector<std::int32_t> numbers(std::size_t count) {
  std::vector<std::int32_t> all(count);
  std::iota(all.begin(), all.end(), 0);
  return all;
}

TEST_F(ShardWriterTest, FillsShardsAndClosesTheLast) {
  ShardWriter writer(directory_.path(), "train", 256, 4);
  ASSERT_TRUE(writer.append(numbers(3)));
  ASSERT_TRUE(writer.append(numbers(7)));
  EXPECT_EQ(writer.tokens(), 10u);
  const Split split = writer.finish().value();
  ASSERT_EQ(split.shards.size(), 3u);
  EXPECT_EQ(split.shards[2].file, "train-00002.bin");
  EXPECT_EQ(tokens_of(split.shards[0]), (std::vector<std::int32_t>{0, 1, 2, 0}));
  EXPECT_EQ(tokens_of(split.shards[1]), (std::vector<std::int32_t>{1, 2, 3, 4}));
  EXPECT_EQ(tokens_of(split.shards[2]), (std::vector<std::int32_t>{5, 6}));
  EXPECT_EQ(files(), 3u);
}

TEST_F(ShardWriterTest, WritesNoEmptyShard) {
  ShardWriter writer(directory_.path(), "train", 256, 4);
  ASSERT_TRUE(writer.append(numbers(8)));
  EXPECT_EQ(writer.finish().value().shards.size(), 2u);
  ShardWriter nothing(directory_.path(), "held_out", 256, 4);
  EXPECT_TRUE(nothing.finish().value().shards.empty());
}

TEST_F(ShardWriterTest, WidensBeyondSixteenBitsOnly) {
  for (const auto& [vocab, bytes] : {std::pair(65536u, 2u), std::pair(65537u, 4u)}) {
    ShardWriter writer(directory_.path(), "v" + std::to_string(vocab), vocab, 100);
    ASSERT_TRUE(writer.append(std::vector<std::int32_t>{0, static_cast<std::int32_t>(vocab) - 1}));
    const Split split = writer.finish().value();
    EXPECT_EQ(fs::file_size(directory_ / split.shards[0].file), 1024 + 2 * bytes);
    EXPECT_EQ(tokens_of(split.shards[0])[1], static_cast<std::int32_t>(vocab) - 1);
  }
}

TEST_F(ShardWriterTest, WritesMoreThanItsBuffer) {
  ShardWriter writer(directory_.path(), "train", 1u << 20, 600'000);
  ASSERT_TRUE(writer.append(numbers(1'000'000)));
  const Split split = writer.finish().value();
  ASSERT_EQ(split.shards.size(), 2u);
  EXPECT_EQ(tokens_of(split.shards[1]).back(), 999'999);
}

TEST_F(ShardWriterTest, NoHalfShardHasAFinalName) {
  ShardWriter writer(directory_.path(), "train", 256, 100);
  ASSERT_TRUE(writer.append(numbers(10)));
  for (const auto& entry : fs::directory_iterator(directory_.path()))
    EXPECT_EQ(entry.path().extension(), ".tmp") << entry.path();
}

TEST_F(ShardWriterTest, DiscardLeavesNothing) {
  ShardWriter writer(directory_.path(), "train", 256, 4);
  ASSERT_TRUE(writer.append(numbers(10)));
  writer.discard();
  EXPECT_EQ(files(), 0u);
}

TEST_F(ShardWriterTest, NamesAFolderThatIsNotThere) {
  ShardWriter writer(directory_ / "none", "train", 256, 4);
  const Status status = writer.append(numbers(1));
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, Errc::kNotFound);
}

}  // namespace
}  // namespace muster::trainer
