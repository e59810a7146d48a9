#include "trainer/run/training_config.h"

#include <gtest/gtest.h>

#include "trainer/run/memory_estimate.h"

namespace muster::trainer {
namespace {

std::string refusal(const TrainingConfig& config) {
  const Status status = validate(config);
  return status ? "none" : status.error().message;
}

TEST(TrainingConfig, AcceptsItsDefaults) { EXPECT_EQ(refusal({}), "none"); }

TEST(TrainingConfig, NamesFieldAndMendOfWhatCannotWork) {
  const std::pair<TrainingConfig, const char*> cases[] = {
      {{.model = {.heads = 3, .kv_heads = 3}}, "model.heads must divide model.d_model"},
      {{.schedule = {.warmup_steps = 20, .total_steps = 10}},
       "train.warmup_steps is 20, but the run has only 10 steps"},
      {{.schedule = {.total_steps = 0}}, "train.steps"},
      {{.schedule = {.peak = -1}}, "train.learning_rate is -1"},
      {{.schedule = {.cosine_to = 2}}, "train.cosine_to"},
      {{.optimizer = {.beta2 = 1}}, "train.beta2"},
      {{.optimizer = {.weight_decay = -0.1}}, "train.weight_decay"},
      {{.batch = 0}, "train.batch"},
      {{.accumulate = 0}, "train.accumulate"},
      {{.gradient_clip = -1}, "train.gradient_clip"},
      {{.guard = {.window = 2}}, "train.guard_window"}};
  for (const auto& [config, expected] : cases)
    EXPECT_NE(refusal(config).find(expected), std::string::npos) << refusal(config);
}

TEST(TrainingConfig, BindsModelDataAndOptimizerAndOnlyNotesTheRest) {
  const Hash data = sha256({});
  const TrainingConfig config;
  const auto binding = binding_settings(config, data), noted = noted_settings(config, "avx2/fp32");
  TrainingConfig faster = config;
  faster.schedule.peak = 1;
  EXPECT_FALSE(first_difference(binding, binding_settings(faster, data)));
  EXPECT_EQ(first_difference(noted, noted_settings(faster, "avx2/fp32"))->name,
            "train.learning_rate");
  TrainingConfig muon = config;
  muon.optimizer.kind = OptimizerKind::kMuon;
  EXPECT_EQ(first_difference(binding, binding_settings(muon, data))->name, "train.optimizer");
  EXPECT_EQ(first_difference(binding, binding_settings(config, Hash{}))->name, "the data's root");
  TrainingConfig stretched = config;
  stretched.model.rope_scaling = state::RopeScaling{};
  EXPECT_EQ(first_difference(binding, binding_settings(stretched, data))->name,
            "model.rope_factor");
}

TEST(MemoryEstimate, CountsEverythingThatGrowsWithTheModel) {
  TrainingConfig config;
  const auto parameters = state::layout_of(config.model).parameters();
  const auto adamw = estimate_memory(config, false, false);
  EXPECT_EQ(adamw.parameters, 8 * parameters);
  EXPECT_EQ(adamw.optimizer, 8 * parameters);
  EXPECT_EQ(adamw.checkpoint, 12 * parameters);
  config.optimizer.kind = OptimizerKind::kMuon;
  EXPECT_LT(estimate_memory(config, false, false).optimizer, adamw.optimizer);
}

TEST(MemoryEstimate, ActivationsGrowWithTheBatchAndShrinkWithRecomputationAndBf16) {
  TrainingConfig config;
  config.model.layers = 8;
  const auto bytes = [&](std::uint32_t batch, bool recompute, bool bf16) {
    config.batch = batch;
    return estimate_memory(config, recompute, bf16).activations;
  };
  EXPECT_GT(bytes(64, false, false), 10 * bytes(4, false, false));
  EXPECT_LT(bytes(64, true, false), bytes(64, false, false) / 3);
  EXPECT_LT(bytes(64, false, true), bytes(64, false, false));
}

TEST(MemoryEstimate, SaysWhatIsTooMuchAndTheMend) {
  const auto estimate = estimate_memory({}, false, false);
  EXPECT_TRUE(check_memory(estimate, estimate.total()));
  const Status status = check_memory(estimate, estimate.total() - 1);
  ASSERT_FALSE(status.has_value());
  EXPECT_EQ(status.error().code, Errc::kNoSpace);
  EXPECT_NE(status.error().message.find("smaller train.batch"), std::string::npos);
}

}  // namespace
}  // namespace muster::trainer
