#include "trainer/hf/hf_export.h"

#include <gtest/gtest.h>

#include <set>

#include "base/file.h"
#include "tests/temporary_directory.h"
#include "tests/trainer/data/sentencepiece_model.h"

namespace muster::trainer {
namespace {

namespace fs = std::filesystem;

class HfExportTest : public ::testing::Test {
 protected:
  state::ModelSpec model_ = {
      .d_model = 16, .layers = 1, .heads = 2, .kv_heads = 1, .d_ff = 24, .context = 32};
  std::vector<float> theta_;
  muster::testing::TemporaryDirectory directory_;

  ExportReport write_model(const std::string& name, const ExportOptions& options = {}) {
    theta_.resize(state::layout_of(model_).parameters());
    state::initial_parameters(model_, 5, theta_);
    auto report = export_hf(directory_ / name, model_, theta_, options);
    MUSTER_CHECK(report.has_value(), "export");
    return *report;
  }
  [[nodiscard]] std::set<std::string> files(const std::string& name) const {
    std::set<std::string> names;
    for (const auto& entry : fs::directory_iterator(directory_ / name))
      names.insert(entry.path().filename());
    return names;
  }
  [[nodiscard]] std::string read(const std::string& name) const {
    const Bytes content = read_file(directory_ / name, 1u << 24).value();
    return {content.begin(), content.end()};
  }
  void write(const std::string& name, std::string_view content) const {
    fs::create_directories((directory_ / name).parent_path());
    MUSTER_CHECK(replace_file(directory_ / name, bytes_of(content)).has_value(), name);
  }
};

TEST_F(HfExportTest, AByteVocabularyGetsTheByteTokenizer) {
  EXPECT_EQ(write_model("m").tokenizer, TokenizerSource::kBytes);
  EXPECT_EQ(files("m"), (std::set<std::string>{"config.json", "model.safetensors", "tokenizer.json",
                                               "tokenizer_config.json"}));
  EXPECT_EQ(open_tokenizer(directory_ / "m").value()->vocab(), 256u);
  EXPECT_EQ(import_hf(directory_ / "m").value().parameters, theta_);
}

TEST_F(HfExportTest, AnotherVocabularyGoesWithoutWhereThereIsNone) {
  model_.vocab = 300;
  EXPECT_EQ(write_model("m").tokenizer, TokenizerSource::kNone);
  EXPECT_EQ(files("m"), (std::set<std::string>{"config.json", "model.safetensors"}));
  EXPECT_EQ(import_hf(directory_ / "m").value().model, model_);
}

TEST_F(HfExportTest, TheTokenizerOfTheRunsDataGoesAlong) {
  model_.vocab = muster::testing::kPieces;
  write("run/data/tokenizer.model", muster::testing::sentencepiece_model());
  EXPECT_EQ(write_model("m", {.tokenizer_folder = directory_ / "run"}).tokenizer,
            TokenizerSource::kCopied);
  EXPECT_EQ(read("m/tokenizer.model"), muster::testing::sentencepiece_model());
  EXPECT_NE(read("m/tokenizer_config.json").find("LlamaTokenizer"), std::string::npos);
  EXPECT_NE(read("m/config.json").find("\"eos_token_id\": 2"), std::string::npos);
  EXPECT_EQ(open_tokenizer(directory_ / "m").value()->vocab(), model_.vocab);
}

TEST_F(HfExportTest, TokenizerFilesThatOnlyPythonReadsAreCopiedAsTheyAre) {
  model_.vocab = 300;
  write("run/tokenizer.json", "{\"version\": \"1.0\"}");
  write("run/special_tokens_map.json", "{}");
  write("run/tokenizer_config.json", "{\"tokenizer_class\": \"Other\"}");
  EXPECT_EQ(write_model("m", {.tokenizer_folder = directory_ / "run"}).tokenizer,
            TokenizerSource::kCopied);
  for (const char* name : {"tokenizer.json", "special_tokens_map.json", "tokenizer_config.json"})
    EXPECT_EQ(read(std::string("m/") + name), read(std::string("run/") + name));
}

TEST_F(HfExportTest, ATokenFileHasNoTokenizer) {
  write("run/train.bin", "tokens");
  EXPECT_EQ(write_model("m", {.tokenizer_folder = directory_ / "run/train.bin"}).tokenizer,
            TokenizerSource::kBytes);
}

TEST_F(HfExportTest, RefusesATokenizerWithMoreTokensThanTheModel) {
  model_.vocab = muster::testing::kPieces - 1;
  write("run/tokenizer.model", muster::testing::sentencepiece_model());
  theta_.resize(state::layout_of(model_).parameters());
  EXPECT_EQ(export_hf(directory_ / "m", model_, theta_, {.tokenizer_folder = directory_ / "run"})
                .error()
                .code,
            Errc::kInvalidArgument);
}

TEST_F(HfExportTest, AnExportIntoTheSameFolderLeavesNoOtherWeights) {
  EXPECT_GT(write_model("m", {.file_bytes_max = 2000, .tokenizer_folder = {}}).weight_files, 3u);
  write("m/model-mine.safetensors", "not ours");
  const auto many = files("m");
  EXPECT_TRUE(many.contains("model.safetensors.index.json"));
  EXPECT_FALSE(many.contains("model.safetensors"));
  EXPECT_EQ(write_model("m").weight_files, 1u);
  EXPECT_EQ(files("m"),
            (std::set<std::string>{"config.json", "model.safetensors", "model-mine.safetensors",
                                   "tokenizer.json", "tokenizer_config.json"}));
  write_model("m", {.file_bytes_max = 4000, .tokenizer_folder = {}});
  EXPECT_FALSE(files("m").contains("model.safetensors"));
  EXPECT_EQ(import_hf(directory_ / "m").value().parameters, theta_);
}

}  // namespace
}  // namespace muster::trainer
