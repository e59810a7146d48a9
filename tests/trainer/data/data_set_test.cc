#include "trainer/data/data_set.h"

#include <gtest/gtest.h>

#include <numeric>

#include "tests/temporary_directory.h"

namespace muster::trainer {
namespace {

class DataSetTest : public ::testing::Test {
 protected:
  // A token file that holds `count` numbers from `first` on.
  Shard write_shard(const std::string& name, std::uint8_t first, std::size_t count) {
    Bytes bytes(count);
    std::iota(bytes.begin(), bytes.end(), first);
    MUSTER_CHECK(write_byte_tokens(directory_ / name, bytes).has_value(), name);
    return {name, count, TokenFile::open(directory_ / name).value().root()};
  }
  void write_folder(const std::vector<Shard>& shards, std::uint32_t vocab = 256) {
    Manifest manifest{.vocab = vocab, .context = 3, .tokenizer = {}, .splits = {}};
    manifest.splits[kTrainSplit].shards = shards;
    MUSTER_CHECK(
        replace_file(directory_ / kManifestFile, bytes_of(write_manifest(manifest))).has_value(),
        "");
  }
  static std::vector<std::int32_t> read(const DataSet& data, std::vector<std::uint64_t> ids,
                                        std::size_t width) {
    std::vector<std::int32_t> out(ids.size() * width);
    const Status status = data.read(ids, out);
    EXPECT_TRUE(status.has_value()) << status.error().message;
    return out;
  }
  muster::testing::TemporaryDirectory directory_;
};

TEST_F(DataSetTest, CutsOneFileInSequencesOfContextPlusOneTokens) {
  write_shard("t.bin", 0, 11);
  const DataSet data = DataSet::open(directory_ / "t.bin", 3, 256).value();
  EXPECT_EQ(data.sequences(), 2u);
  EXPECT_EQ(data.tokens(), 11u);
  EXPECT_EQ(read(data, {1, 0}, 4), (std::vector<std::int32_t>{4, 5, 6, 7, 0, 1, 2, 3}));
  EXPECT_EQ(data.root(), TokenFile::open(directory_ / "t.bin").value().root());
}

TEST_F(DataSetTest, NumbersSequencesThroughAllShardsAndCrossesNone) {
  write_folder(
      {write_shard("a.bin", 0, 9), write_shard("b.bin", 100, 3), write_shard("c.bin", 200, 8)});
  const DataSet data = DataSet::open(directory_.path(), 3, 256).value();
  EXPECT_EQ(data.sequences(), 4u);
  EXPECT_EQ(data.tokens(), 20u);
  EXPECT_EQ(read(data, {1, 2, 3}, 4),
            (std::vector<std::int32_t>{4, 5, 6, 7, 200, 201, 202, 203, 204, 205, 206, 207}));
}

TEST_F(DataSetTest, AFolderHasTheRootOverItsShards) {
  const Shard a = write_shard("a.bin", 0, 9), b = write_shard("b.bin", 9, 9);
  write_folder({a, b});
  const DataSet data = DataSet::open(directory_.path(), 3, 256).value();
  EXPECT_EQ(data.root(), merkle_root(std::vector<Hash>{a.root, b.root}));
  EXPECT_TRUE(data.verify());
}

TEST_F(DataSetTest, NamesTheSequencesThatItHas) {
  write_shard("t.bin", 0, 8);
  const DataSet data = DataSet::open(directory_ / "t.bin", 3, 256).value();
  std::vector<std::int32_t> out(4);
  const Status status = data.read(std::vector<std::uint64_t>{2}, out);
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, Errc::kNotFound);
  EXPECT_NE(status.error().message.find("sequence 2 of a data set that has 2"), std::string::npos);
}

TEST_F(DataSetTest, NamesFilePositionAndTokenOutsideTheVocabulary) {
  write_shard("t.bin", 0, 20);
  const DataSet data = DataSet::open(directory_ / "t.bin", 3, 14).value();
  std::vector<std::int32_t> out(4);
  EXPECT_TRUE(data.read(std::vector<std::uint64_t>{2}, out));
  const Status status = data.read(std::vector<std::uint64_t>{3}, out);
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, Errc::kInvalidArgument);
  EXPECT_NE(status.error().message.find("t.bin: token 14 is 14"), std::string::npos)
      << status.error().message;
}

TEST_F(DataSetTest, RefusesWideTokensThatWouldBeNegative) {
  ByteWriter writer;
  for (std::uint32_t word : {20240801u, 7u, 2u}) writer.write(word);
  writer.append(Bytes(1024 - 12));
  for (std::uint32_t token : {5u, 0xffff'fff0u}) writer.write(token);
  ASSERT_TRUE(replace_file(directory_ / "t.bin", writer.bytes()));
  const DataSet data = DataSet::open(directory_ / "t.bin", 1, 65537).value();
  std::vector<std::int32_t> out(2);
  const Status status = data.read(std::vector<std::uint64_t>{0}, out);
  ASSERT_FALSE(status);
  EXPECT_NE(status.error().message.find("token 1 is 4294967280"), std::string::npos);
}

TEST_F(DataSetTest, NeedsOneSequence) {
  write_shard("t.bin", 0, 100);
  const auto data = DataSet::open(directory_ / "t.bin", 128, 256);
  ASSERT_FALSE(data);
  EXPECT_EQ(data.error().code, Errc::kInvalidArgument);
  EXPECT_NE(data.error().message.find("context is 128 but the data has 100 tokens: take"),
            std::string::npos);
}

TEST_F(DataSetTest, RefusesALargerPackedVocabulary) {
  write_folder({write_shard("a.bin", 0, 9)}, 32000);
  const auto data = DataSet::open(directory_.path(), 3, 256);
  ASSERT_FALSE(data);
  EXPECT_NE(data.error().message.find("vocabulary of 32000, the model has 256"), std::string::npos);
}

TEST_F(DataSetTest, NamesMissingShortAndCorruptShards) {
  const Shard a = write_shard("a.bin", 0, 9), b = write_shard("b.bin", 9, 9);
  write_folder({a, b});

  write_shard("b.bin", 10, 9);
  const Status verified = DataSet::open(directory_.path(), 3, 256).value().verify();
  ASSERT_FALSE(verified);
  EXPECT_EQ(verified.error().code, Errc::kBadHash);
  EXPECT_NE(verified.error().message.find("b.bin"), std::string::npos);

  write_shard("b.bin", 9, 8);
  EXPECT_EQ(DataSet::open(directory_.path(), 3, 256).error().code, Errc::kBadHash);
  std::filesystem::resize_file(directory_ / "b.bin", 1030);
  EXPECT_EQ(DataSet::open(directory_.path(), 3, 256).error().code, Errc::kTruncated);
  std::filesystem::remove(directory_ / "b.bin");
  const auto missing = DataSet::open(directory_.path(), 3, 256);
  EXPECT_EQ(missing.error().code, Errc::kNotFound);
  EXPECT_NE(missing.error().message.find("b.bin"), std::string::npos);
}

TEST_F(DataSetTest, SaysHowToPackAFolderWithoutManifest) {
  const auto data = DataSet::open(directory_.path(), 3, 256);
  ASSERT_FALSE(data);
  EXPECT_EQ(data.error().code, Errc::kNotFound);
  EXPECT_NE(data.error().message.find("muster data pack"), std::string::npos);
}

TEST_F(DataSetTest, SaysWhichSplitIsNotThere) {
  write_folder({write_shard("a.bin", 0, 9)});
  const auto data = DataSet::open(directory_.path(), 3, 256, kHeldOutSplit);
  ASSERT_FALSE(data);
  EXPECT_EQ(data.error().code, Errc::kNotFound);
  EXPECT_NE(data.error().message.find("held_out"), std::string::npos);
}

}  // namespace
}  // namespace muster::trainer
