#include "trainer/hf/hf_import.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "base/file.h"
#include "tests/temporary_directory.h"
#include "trainer/hf/hf_config.h"
#include "trainer/hf/hf_export.h"
#include "trainer/hf/weight_index.h"

namespace muster::trainer {
namespace {

namespace fs = std::filesystem;

state::ModelSpec small_model(bool tied) {
  return {.d_model = 16,
          .layers = 2,
          .heads = 4,
          .kv_heads = 2,
          .d_ff = 24,
          .context = 32,
          .vocab = 40,
          .tied = tied};
}

class HfImportTest : public ::testing::Test {
 protected:
  // The model's folder, in files of at most that many bytes.
  void write_model(bool tied, std::uint64_t file_bytes_max) {
    model_ = small_model(tied);
    theta_.resize(state::layout_of(model_).parameters());
    state::initial_parameters(model_, 5, theta_);
    ExportOptions options;
    options.file_bytes_max = file_bytes_max;
    MUSTER_CHECK(export_hf(folder(), model_, theta_, options).has_value(), "export");
  }
  [[nodiscard]] fs::path folder() const { return directory_ / "m"; }
  [[nodiscard]] std::string read(const std::string& name) const {
    const Bytes content = read_file(folder() / name, 1u << 24).value();
    return {content.begin(), content.end()};
  }
  void write(const std::string& name, std::string_view content) const {
    MUSTER_CHECK(replace_file(folder() / name, bytes_of(content)).has_value(), name);
  }
  // A file of tensors as `dtype`, each of one byte string.
  struct Tensor {
    std::string name, dtype;
    std::vector<std::uint64_t> shape;
    Bytes bytes;
  };
  void write_tensors(const std::string& name, const std::vector<Tensor>& tensors) const {
    nlohmann::ordered_json header;
    Bytes data;
    for (const Tensor& tensor : tensors) {
      header[tensor.name] = {{"dtype", tensor.dtype},
                             {"shape", tensor.shape},
                             {"data_offsets", {data.size(), data.size() + tensor.bytes.size()}}};
      data.insert(data.end(), tensor.bytes.begin(), tensor.bytes.end());
    }
    const std::string text = header.dump();
    ByteWriter writer;
    writer.write(std::uint64_t{text.size()});
    writer.append(bytes_of(text));
    writer.append(data);
    MUSTER_CHECK(replace_file(folder() / name, writer.bytes()).has_value(), name);
  }
  // The model's own tensors, as 16-bit numbers cut off or as they are.
  [[nodiscard]] std::vector<Tensor> tensors_of(bool bfloat) const {
    std::vector<Tensor> tensors;
    const auto layout = state::layout_of(model_);
    for (const auto& tensor : layout.tensors()) {
      Bytes bytes;
      for (std::uint64_t i = 0; i < tensor.elements; ++i) {
        std::uint8_t raw[4];
        std::memcpy(raw, &theta_[tensor.offset + i], 4);
        bytes.insert(bytes.end(), raw + (bfloat ? 2 : 0), raw + 4);
      }
      tensors.push_back({tensor.name, bfloat ? "BF16" : "F32", tensor.shape, bytes});
    }
    return tensors;
  }
  void expect_refused(Errc code, const std::vector<std::string>& named) const {
    const auto imported = import_hf(folder());
    ASSERT_FALSE(imported);
    EXPECT_EQ(imported.error().code, code) << imported.error().message;
    for (const std::string& word : named)
      EXPECT_NE(imported.error().message.find(word), std::string::npos) << imported.error().message;
  }
  muster::testing::TemporaryDirectory directory_;
  state::ModelSpec model_;
  std::vector<float> theta_;
};

TEST_F(HfImportTest, ReadsOneFileOrManyAlike) {
  for (const bool tied : {true, false}) {
    for (const std::uint64_t file_bytes :
         {std::uint64_t{1}, std::uint64_t{3000}, std::uint64_t{1} << 30}) {
      write_model(tied, file_bytes);
      const auto imported = import_hf(folder());
      ASSERT_TRUE(imported) << imported.error().message;
      EXPECT_EQ(imported->model, model_);
      EXPECT_EQ(imported->parameters, theta_);
    }
  }
}

TEST_F(HfImportTest, ReadsWhatTransformersWrote) {
  const fs::path oracles = fs::path(MUSTER_SOURCE_DIR) / "tests/trainer/oracles/hf_llama";
  for (const char* name : {"tied", "untied", "llama3_rope"}) {
    const auto imported = import_hf(oracles / name);
    ASSERT_TRUE(imported) << imported.error().message;
    EXPECT_EQ(imported->parameters.size(), state::layout_of(imported->model).parameters());
    fs::create_directories(folder());
    fs::copy_file(oracles / name / "model.safetensors", folder() / "model.safetensors",
                  fs::copy_options::overwrite_existing);
    fs::copy_file(oracles / name / "config_v4.json", folder() / "config.json",
                  fs::copy_options::overwrite_existing);
    EXPECT_EQ(import_hf(folder()).value().parameters, imported->parameters);
  }
}

TEST_F(HfImportTest, ReadsBfloatWeights) {
  write_model(true, 1u << 30);
  write_tensors("model.safetensors", tensors_of(/*bfloat=*/true));
  const auto imported = import_hf(folder()).value();
  for (std::size_t i = 0; i < theta_.size(); ++i) {
    const auto cut = std::bit_cast<float>(std::bit_cast<std::uint32_t>(theta_[i]) & 0xffff'0000u);
    ASSERT_EQ(imported.parameters[i], cut);
  }
}

TEST_F(HfImportTest, IgnoresRotaryFrequencies) {
  write_model(false, 1u << 30);
  auto tensors = tensors_of(false);
  tensors.push_back({"model.layers.0.self_attn.rotary_emb.inv_freq", "F32", {1}, Bytes(4)});
  write_tensors("model.safetensors", tensors);
  EXPECT_EQ(import_hf(folder()).value().parameters, theta_);
}

TEST_F(HfImportTest, ATiedModelMayHaveAHeadThatIsItsEmbedding) {
  write_model(true, 1u << 30);
  auto tensors = tensors_of(false);
  tensors.push_back(tensors[0]);
  tensors.back().name = "lm_head.weight";
  write_tensors("model.safetensors", tensors);
  EXPECT_EQ(import_hf(folder()).value().parameters, theta_);
  tensors.back().bytes[0] ^= 1;
  write_tensors("model.safetensors", tensors);
  expect_refused(Errc::kMalformed, {"lm_head.weight", "tie_word_embeddings"});
}

TEST_F(HfImportTest, NamesMissingExtraAndMisshapenTensors) {
  write_model(false, 1u << 30);
  auto tensors = tensors_of(false);
  tensors.push_back({"model.layers.7.mlp.up_proj.weight", "F32", {1}, Bytes(4)});
  write_tensors("model.safetensors", tensors);
  expect_refused(Errc::kMalformed,
                 {"model.safetensors", "model.layers.7.mlp.up_proj.weight", "does not belong"});
  tensors.pop_back();
  std::swap(tensors[0].shape[0], tensors[0].shape[1]);
  write_tensors("model.safetensors", tensors);
  expect_refused(Errc::kMalformed, {"model.embed_tokens.weight", "[16, 40]", "[40, 16]"});
  std::swap(tensors[0].shape[0], tensors[0].shape[1]);
  tensors.pop_back();
  write_tensors("model.safetensors", tensors);
  expect_refused(Errc::kMalformed, {"lm_head.weight", "is missing"});
}

TEST_F(HfImportTest, NamesNumbersThatItCannotTake) {
  write_model(true, 1u << 30);
  auto tensors = tensors_of(false);
  tensors[2].dtype = "I32";
  write_tensors("model.safetensors", tensors);
  expect_refused(Errc::kInvalidArgument, {tensors[2].name, "I32"});
  tensors[2].dtype = "F32";
  std::fill_n(tensors[2].bytes.begin(), 4, std::uint8_t{0xff});
  write_tensors("model.safetensors", tensors);
  expect_refused(Errc::kNonFinite, {tensors[2].name});
}

TEST_F(HfImportTest, NamesWhatADamagedIndexHasWrong) {
  write_model(true, 3000);
  const std::string good = read(kWeightIndexFile);
  auto changed = [&](auto change) {
    auto json = nlohmann::json::parse(good);
    change(json["weight_map"]);
    write(kWeightIndexFile, json.dump());
  };
  const std::string tensor = "model.norm.weight";
  changed([&](auto& map) { map[tensor] = "model-00001-of-00099.safetensors"; });
  expect_refused(Errc::kNotFound, {"model-00001-of-00099.safetensors"});
  changed([&](auto& map) { map[tensor] = map["model.embed_tokens.weight"]; });
  expect_refused(Errc::kMalformed, {tensor, "where the index says"});
  changed([&](auto& map) { map.erase(tensor); });
  expect_refused(Errc::kMalformed, {tensor, "not in the index"});
  changed([&](auto& map) { map["ghost"] = map[tensor]; });
  expect_refused(Errc::kMalformed, {"ghost"});
  changed([&](auto& map) { map[tensor] = "../m.safetensors"; });
  expect_refused(Errc::kMalformed, {tensor, "../m.safetensors"});
  write(kWeightIndexFile, good);
  EXPECT_TRUE(import_hf(folder()));
}

TEST_F(HfImportTest, RefusesATensorThatTwoFilesHave) {
  write_model(true, 3000);
  auto json = nlohmann::json::parse(read(kWeightIndexFile));
  fs::copy_file(folder() / json["weight_map"]["model.norm.weight"].get<std::string>(),
                folder() / "model-copy.safetensors");
  json["weight_map"]["model.norm.weight"] = "model-copy.safetensors";
  write(kWeightIndexFile, json.dump());
  expect_refused(Errc::kMalformed, {"is also in"});
}

TEST_F(HfImportTest, NamesACutFile) {
  write_model(true, 1u << 30);
  fs::resize_file(folder() / "model.safetensors", 5000);
  expect_refused(Errc::kMalformed, {"model.safetensors"});
  fs::resize_file(folder() / "model.safetensors", 5);
  expect_refused(Errc::kTruncated, {"model.safetensors"});
}

TEST_F(HfImportTest, SaysWhichFilesItLooksFor) {
  write_model(true, 1u << 30);
  fs::remove(folder() / "model.safetensors");
  expect_refused(Errc::kNotFound, {"model.safetensors.index.json", "save_pretrained"});
  fs::remove(folder() / "config.json");
  expect_refused(Errc::kNotFound, {"config.json"});
}

TEST_F(HfImportTest, DoesNotMakeRoomForWhatIsNotThere) {
  write_model(true, 1u << 30);
  state::ModelSpec huge = model_;
  huge.vocab = 16'000'000;
  write("config.json", write_hf_config(huge));
  expect_refused(Errc::kTruncated, {"bytes of weights"});
}

}  // namespace
}  // namespace muster::trainer
