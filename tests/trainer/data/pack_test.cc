#include "trainer/data/pack.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "base/prng.h"
#include "tests/temporary_directory.h"
#include "tests/trainer/data/sentencepiece_model.h"
#include "trainer/data/data_set.h"

namespace muster::trainer {
namespace {

namespace fs = std::filesystem;

Status go_on(const PackProgress&) { return {}; }

class PackTest : public ::testing::Test {
 protected:
  fs::path write(const std::string& name, std::string_view content) {
    MUSTER_CHECK(replace_file(directory_ / name, bytes_of(content)).has_value(), name);
    return directory_ / name;
  }
  // JSON lines with the numbers from 0 as texts.
  fs::path numbered_documents(int count) {
    std::string lines;
    for (int i = 0; i < count; ++i)
      lines += nlohmann::json{{"text", std::to_string(i) + ";"}}.dump() + "\n";
    return write("numbers.jsonl", lines);
  }
  std::string text_of(const std::string& folder, const std::string& split,
                      const Tokenizer& tokenizer) {
    std::vector<std::int32_t> all;
    const Manifest manifest = read_manifest(directory_ / folder).value();
    for (const Shard& shard : manifest.splits.at(split).shards) {
      const TokenFile file = TokenFile::open(directory_ / folder / shard.file).value();
      std::vector<std::int32_t> tokens(file.tokens());
      (void)file.widen(0, tokens);
      all.insert(all.end(), tokens.begin(), tokens.end());
    }
    return tokenizer.decode(all).value();
  }
  muster::testing::TemporaryDirectory directory_;
  std::unique_ptr<Tokenizer> bytes_ = make_byte_tokenizer();
};

TEST_F(PackTest, JoinsDocumentsWithoutPadding) {
  PackOptions options{.documents = {}, .context = 3, .held_out = 0, .separator = {}};
  const auto report = pack({write("a.txt", "one "), write("b.txt", "two")}, directory_ / "p",
                           *bytes_, options, go_on);
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_EQ(text_of("p", kTrainSplit, *bytes_), "one two");
  EXPECT_EQ(report->total.documents, 2u);
  EXPECT_EQ(report->total.bytes, 7u);
  EXPECT_EQ(report->total.tokens, 7u);
  EXPECT_EQ(report->manifest, read_manifest(directory_ / "p").value());
  EXPECT_FALSE(report->manifest.splits.contains(kHeldOutSplit));
}

TEST_F(PackTest, PutsASeparatorBehindEveryDocument) {
  PackOptions options{.documents = {}, .context = 3, .held_out = 0, .separator = "|"};
  ASSERT_TRUE(pack({numbered_documents(3)}, directory_ / "p", *bytes_, options, go_on));
  EXPECT_EQ(text_of("p", kTrainSplit, *bytes_), "0;|1;|2;|");
}

TEST_F(PackTest, SentencePieceDocumentsEndWithItsEndToken) {
  write("m.model", muster::testing::sentencepiece_model());
  const auto tokenizer = load_tokenizer(directory_ / "m.model").value();
  PackOptions options{.documents = {}, .context = 2, .held_out = 0, .separator = {}};
  const auto source = write("a.txt", "the miner pays every peer.");
  ASSERT_TRUE(pack({source, source}, directory_ / "p", *tokenizer, options, go_on));
  auto expected = tokenizer->encode("the miner pays every peer.").value();
  expected.push_back(*tokenizer->end_of_document());
  const DataSet data =
      DataSet::open(directory_ / "p", static_cast<std::uint32_t>(expected.size()) - 1,
                    tokenizer->vocab())
          .value();
  EXPECT_EQ(data.tokens(), 2 * expected.size());
  std::vector<std::int32_t> row(expected.size());
  for (const std::uint64_t id : {0u, 1u}) {
    ASSERT_TRUE(data.read(std::vector<std::uint64_t>{id}, row));
    EXPECT_EQ(row, expected);
  }
  EXPECT_EQ(open_tokenizer(directory_ / "p").value()->vocab(), tokenizer->vocab());
}

TEST_F(PackTest, HoldsOutTheMiddleOfEveryNDocuments) {
  PackOptions options{.documents = {}, .context = 3, .held_out = 0.25, .separator = {}};
  ASSERT_TRUE(pack({numbered_documents(12)}, directory_ / "p", *bytes_, options, go_on));
  EXPECT_EQ(text_of("p", kTrainSplit, *bytes_), "0;2;3;4;6;7;8;10;11;");
  EXPECT_EQ(text_of("p", kHeldOutSplit, *bytes_), "1;5;9;");
}

TEST_F(PackTest, EqualSourcesGiveEqualBytesWithAnyThreadsAndShards) {
  std::string text;
  Prng random(1);
  while (text.size() < 300'000)
    text += std::to_string(random.next_u32()) + (random.below(9) == 0 ? "\n" : " ");
  const std::vector<fs::path> sources{write("a.txt", text), numbered_documents(500)};
  PackOptions options{
      .documents = {}, .context = 31, .shard_tokens = 50'000, .held_out = 0.1, .separator = {}};
  ASSERT_TRUE(pack(sources, directory_ / "p", *bytes_, options, go_on));
  options.threads = 3;
  ASSERT_TRUE(pack(sources, directory_ / "q", *bytes_, options, go_on));
  EXPECT_EQ(read_file(directory_ / "p/manifest.json", 1 << 20).value(),
            read_file(directory_ / "q/manifest.json", 1 << 20).value());
  EXPECT_TRUE(DataSet::open(directory_ / "q", 31, 256).value().verify());
  const Manifest manifest = read_manifest(directory_ / "p").value();
  for (std::size_t i = 0; i + 1 < manifest.splits.at(kTrainSplit).shards.size(); ++i)
    EXPECT_EQ(manifest.splits.at(kTrainSplit).shards[i].tokens, 50'000u / 32 * 32);
  options.shard_tokens = kShardTokensMax;
  ASSERT_TRUE(pack(sources, directory_ / "r", *bytes_, options, go_on));
  EXPECT_EQ(text_of("r", kTrainSplit, *bytes_), text_of("p", kTrainSplit, *bytes_));
}

TEST_F(PackTest, TakesOnlyAnEmptyFolder) {
  fs::create_directory(directory_ / "p");
  write("p/other", "somebody's");
  const auto report = pack({write("a.txt", "text")}, directory_ / "p", *bytes_, {}, go_on);
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().code, Errc::kAlreadyExists);
  EXPECT_TRUE(fs::exists(directory_ / "p/other"));
}

TEST_F(PackTest, RefusesShardsThatHoldNoSequenceOrTooMuch) {
  const auto source = write("a.txt", "text");
  for (const std::uint64_t tokens : {std::uint64_t{0}, std::uint64_t{1024}, kShardTokensMax + 1}) {
    PackOptions options;
    options.shard_tokens = tokens;
    EXPECT_EQ(pack({source}, directory_ / "p", *bytes_, options, go_on).error().code,
              Errc::kInvalidArgument);
  }
  PackOptions options;
  options.held_out = 0.6;
  EXPECT_EQ(pack({source}, directory_ / "p", *bytes_, options, go_on).error().code,
            Errc::kInvalidArgument);
  EXPECT_FALSE(fs::exists(directory_ / "p"));
}

TEST_F(PackTest, ABadLineAtTheEndLeavesNothing) {
  PackOptions options{.documents = {}, .context = 1, .shard_tokens = 4000, .separator = {}};
  const auto good = numbered_documents(5000);
  const auto report =
      pack({good, write("bad.jsonl", "{")}, directory_ / "p", *bytes_, options, go_on);
  ASSERT_FALSE(report);
  EXPECT_NE(report.error().message.find("bad.jsonl:1"), std::string::npos);
  EXPECT_FALSE(fs::exists(directory_ / "p"));
}

TEST_F(PackTest, StopsWhenToldAndLeavesNothing) {
  PackOptions options{.documents = {}, .context = 1, .shard_tokens = 4000, .separator = {}};
  const auto report = pack(
      {numbered_documents(5000)}, directory_ / "p", *bytes_, options, [](const PackProgress& p) {
        return p.tokens == 0 ? Status() : Status(Error{Errc::kCancelled, "stopped"});
      });
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().code, Errc::kCancelled);
  EXPECT_FALSE(fs::exists(directory_ / "p"));
}

TEST_F(PackTest, SaysWhenThereIsNoText) {
  EXPECT_EQ(pack({write("a.txt", "")}, directory_ / "p", *bytes_, {}, go_on).error().code,
            Errc::kNotFound);
}

}  // namespace
}  // namespace muster::trainer
