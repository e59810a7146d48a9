// Against outputs of transformers and PyTorch (tests/trainer/oracles, with their origin in its README).
#include <atomic>
#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "tests/trainer/trainer_fixture.h"
#include "trainer/hf_export.h"
#include "trainer/safetensors.h"

namespace muster::trainer {
namespace {

const std::filesystem::path kOracles =
    std::filesystem::path(MUSTER_SOURCE_DIR) / "tests/trainer/oracles/hf_llama";

template <class T>
std::vector<T> tensor(const Bytes& file, const std::string& name) {
  const auto tensors = parse_safetensors(file).value();
  const ByteSpan raw = tensors.at(name).bytes;
  std::vector<T> values(raw.size() / sizeof(T));
  std::memcpy(values.data(), raw.data(), raw.size());
  return values;
}

class LlamaOracle : public ::testing::TestWithParam<const char*> {
 protected:
  std::shared_ptr<const Trainer> trainer_ = the_trainer();
  std::filesystem::path folder_ = kOracles / GetParam();
  ImportedModel model_ = import_hf(folder_).value();
};
INSTANTIATE_TEST_SUITE_P(Models, LlamaOracle, ::testing::Values("tied", "untied"));

TEST_P(LlamaOracle, LogitsAgreeWithin1em5) {
  const Bytes expected = read_file(folder_ / "expected.safetensors", 1u << 30).value();
  const auto ids = tensor<std::int64_t>(expected, "input_ids");
  const auto logits = tensor<float>(expected, "logits");
  constexpr std::size_t kTokens = 48;
  for (std::size_t sequence = 0; sequence < 2; ++sequence) {
    const std::span<const std::int64_t> row(ids.data() + sequence * kTokens, kTokens);
    const auto ours = trainer_->logits(model_.model, model_.parameters, row).value();
    ASSERT_EQ(ours.size(), kTokens * 256);
    for (std::size_t i = 0; i < ours.size(); ++i)
      ASSERT_NEAR(ours[i], logits[sequence * kTokens * 256 + i], 1e-5) << "logit " << i;
  }
}

TEST_P(LlamaOracle, GreedyTokensAreTheSame) {
  const auto expected = nlohmann::json::parse(std::ifstream(folder_ / "expected.json"));
  const auto prompt = expected["greedy"]["prompt"].get<std::vector<std::int64_t>>();
  const auto tokens = expected["greedy"]["tokens"].get<std::vector<std::int64_t>>();
  TrainerConfig config;
  config.model = model_.model;
  GenerateOptions options;
  options.tokens = static_cast<std::uint32_t>(tokens.size());
  options.temperature = 0;
  std::vector<std::int64_t> ours;
  ASSERT_TRUE(trainer_->generate(config, model_.parameters, prompt, options,
                                 [&](std::int64_t token) { ours.push_back(token); }));
  EXPECT_EQ(ours, tokens);
}

// Five AdamW steps of PyTorch with decay on all tensors, lr 1e-3, clip 1.
TEST(TrainingOracle, FiveStepsHaveTheSameLoss) {
  muster::testing::TemporaryDirectory directory;
  const auto steps = nlohmann::json::parse(std::ifstream(kOracles / "train/steps.json"));
  const auto expected = steps["decay_all"]["loss"].get<std::vector<double>>();
  const Bytes file = read_file(kOracles / "train/batches.safetensors", 1u << 30).value();
  const auto ids = tensor<std::int64_t>(file, "ids");
  Bytes tokens(ids.begin(), ids.end());
  ASSERT_TRUE(write_byte_tokens(directory / "t.bin", tokens));

  const ImportedModel start = import_hf(kOracles / "untied").value();
  TrainerConfig config;
  config.model = start.model;
  config.model.context = 32;
  config.train_data = config.held_out_data = directory / "t.bin";
  config.schedule = {1e-3, 0, 0, 1};
  config.compute = Compute::kFloat32;
  const std::atomic<bool> never{false};
  double sum_so_far = 0;
  // Steps 1…n in one call of n steps: the mean loss times n is the sum of the first n.
  for (std::uint32_t n = 1; n <= 5; ++n) {
    auto fresh = the_trainer()->make_inner_loop(config, start.parameters).value();
    protocol::TrainTask task;
    task.inner_steps = n;
    for (std::uint64_t s = 0; s < n * 4; ++s) task.sequences.push_back(s);
    const double sum = fresh->train(task, never, [](std::uint32_t) {})->mean_loss * n;
    EXPECT_NEAR(sum - sum_so_far, expected[n - 1], 1e-5) << "step " << n;
    sum_so_far = sum;
  }
}

}  // namespace
}  // namespace muster::trainer
