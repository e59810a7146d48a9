// examples/pack_hf.py makes what DataSet reads. Skipped where Python has no tokenizers package;
// MUSTER_PYTHON names another interpreter.
#include <gtest/gtest.h>

#include <cstdlib>

#include "tests/python.h"
#include "tests/temporary_directory.h"
#include "trainer/data/byte_tokenizer.h"
#include "trainer/data/data_set.h"
#include "trainer/data/pack.h"

namespace muster::trainer {
namespace {

class PackHfTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!testing::python_has("tokenizers"))
      GTEST_SKIP() << testing::python() << " has no tokenizers package";
    std::string lines;
    for (int i = 0; i < 300; ++i)
      lines += "{\"text\": \"document " + std::to_string(i) + " \u00e9\\n\"}\n";
    MUSTER_CHECK(replace_file(directory_ / "d.jsonl", bytes_of(lines)).has_value(), "");
    MUSTER_CHECK(
        replace_file(directory_ / "tokenizer.json", bytes_of(byte_tokenizer_json())).has_value(),
        "");
  }
  int pack_in_python(const std::string& options) {
    return std::system(
        (testing::python() + " " MUSTER_SOURCE_DIR "/examples/pack_hf.py --tokenizer " +
         (directory_ / "tokenizer.json").string() + " --to " + (directory_ / "p").string() + " " +
         options + " " + (directory_ / "d.jsonl").string() + " >/dev/null")
            .c_str());
  }
  muster::testing::TemporaryDirectory directory_;
};

// Our byte tokenizer as a tokenizer.json: the same tokens, so the same shards and roots.
TEST_F(PackHfTest, MakesTheShardsThatMusterMakes) {
  ASSERT_EQ(pack_in_python("--context 15 --shard-tokens 1000 --held-out 0.1"), 0);
  PackOptions options{
      .documents = {}, .context = 15, .shard_tokens = 1000, .held_out = 0.1, .separator = {}};
  const auto ours = pack({directory_ / "d.jsonl"}, directory_ / "q", *make_byte_tokenizer(),
                         options, [](const PackProgress&) -> Status { return {}; });
  ASSERT_TRUE(ours) << ours.error().message;
  const Manifest theirs = read_manifest(directory_ / "p").value();
  EXPECT_EQ(theirs.splits, ours->manifest.splits);
  EXPECT_EQ(theirs.vocab, 256u);
  EXPECT_EQ(theirs.tokenizer.kind, "huggingface");
  EXPECT_TRUE(DataSet::open(directory_ / "p", 15, 256).value().verify());
}

TEST_F(PackHfTest, RefusesAnEndTokenThatIsNotThere) {
  EXPECT_NE(pack_in_python("--end '</s>' 2>/dev/null"), 0);
}

}  // namespace
}  // namespace muster::trainer
