#include "trainer/hf/hf_config.h"

#include <gtest/gtest.h>

#include "base/file.h"

namespace muster::trainer {
namespace {

state::ModelSpec read_oracle(const std::string& model, const std::string& name) {
  return read_hf_config(read_file(std::filesystem::path(MUSTER_SOURCE_DIR) /
                                      "tests/trainer/oracles/hf_llama" / model / name,
                                  1u << 16)
                            .value())
      .value();
}

// The written form of a default model with one text replaced.
Result<state::ModelSpec> read_with(const std::string& from, const std::string& to) {
  std::string json = write_hf_config({});
  const std::size_t at = json.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return read_hf_config(bytes_of(json.replace(at, from.size(), to)));
}

TEST(HfConfig, ReadsTheSameModelFromTheKeysOfTransformers4And5) {
  for (const char* model : {"untied", "tied", "llama3_rope"})
    EXPECT_EQ(read_oracle(model, "config.json"), read_oracle(model, "config_v4.json")) << model;
}

TEST(HfConfig, ReadsTheShapeAndTheRopeScaling) {
  const state::ModelSpec model = read_oracle("llama3_rope", "config.json");
  EXPECT_EQ(model.d_model, 64u);
  EXPECT_EQ(model.layers, 2u);
  EXPECT_EQ(model.kv_heads, 2u);
  EXPECT_EQ(model.d_ff, 176u);
  EXPECT_EQ(model.context, 128u);
  EXPECT_EQ(model.rope_theta, 500000.0f);
  EXPECT_FALSE(model.tied);
  ASSERT_TRUE(model.rope_scaling.has_value());
  EXPECT_EQ(*model.rope_scaling, (state::RopeScaling{8, 1, 4, 32}));
  EXPECT_TRUE(read_oracle("tied", "config.json").tied);
}

TEST(HfConfig, ReadsBackWhatItWrote) {
  state::ModelSpec model;
  model.tied = false;
  model.norm_epsilon = 3e-6f;
  model.kv_heads = 2;
  EXPECT_EQ(read_hf_config(bytes_of(write_hf_config(model))).value(), model);
  model.rope_scaling = state::RopeScaling{8, 1, 4, 64};
  EXPECT_EQ(read_hf_config(bytes_of(write_hf_config(model))).value(), model);
}

TEST(HfConfig, WritesShortNumbers) {
  EXPECT_NE(write_hf_config({}).find("\"rms_norm_eps\": 1e-05"), std::string::npos);
}

TEST(HfConfig, RefusesModelsThatItWouldComputeWrongly) {
  const std::pair<const char*, const char*> changes[] = {
      {"\"model_type\": \"llama\"", "\"model_type\": \"qwen2\""},
      {"\"hidden_act\": \"silu\"", "\"hidden_act\": \"gelu\""},
      {"\"attention_bias\": false", "\"attention_bias\": true"},
      {"\"mlp_bias\": false", "\"mlp_bias\": true"},
      {"\"head_dim\": 32", "\"head_dim\": 64"},
      {"\"rope_type\": \"default\"", "\"rope_type\": \"yarn\""}};
  for (const auto& [from, to] : changes) {
    const auto model = read_with(from, to);
    ASSERT_FALSE(model) << to;
    EXPECT_EQ(model.error().code, Errc::kInvalidArgument) << to;
  }
}

TEST(HfConfig, NamesTheKeyThatIsMissingOrMistyped) {
  const auto missing = read_with("\"hidden_size\"", "\"hidden_sizes\"");
  EXPECT_EQ(missing.error().code, Errc::kMalformed);
  EXPECT_NE(missing.error().message.find("hidden_size"), std::string::npos);
  EXPECT_EQ(read_with("\"vocab_size\": 256", "\"vocab_size\": -1").error().code, Errc::kMalformed);
  EXPECT_EQ(read_with("\"vocab_size\": 256", "\"vocab_size\": 1e99").error().code,
            Errc::kMalformed);
  EXPECT_EQ(read_hf_config(bytes_of("[]")).error().code, Errc::kMalformed);
  EXPECT_EQ(read_hf_config(bytes_of("{\"a\"")).error().code, Errc::kMalformed);
}

TEST(HfConfig, RefusesShapesOutsideTheModelsRanges) {
  EXPECT_EQ(read_with("\"num_key_value_heads\": 4", "\"num_key_value_heads\": 3").error().code,
            Errc::kInvalidArgument);
  EXPECT_FALSE(read_with("\"num_attention_heads\": 4", "\"num_attention_heads\": 0"));
}

}  // namespace
}  // namespace muster::trainer
