// Against outputs of transformers and PyTorch (tests/trainer/oracles, with their origin in its
// README).
#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>
#include <numeric>

#include "base/file.h"
#include "tests/trainer/trainer_fixture.h"
#include "trainer/hf/hf_export.h"
#include "trainer/hf/safetensors.h"

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
  std::filesystem::path folder_ = kOracles / GetParam();
  ImportedModel model_ = import_hf(folder_).value();
};
INSTANTIATE_TEST_SUITE_P(Models, LlamaOracle, ::testing::Values("tied", "untied", "llama3_rope"),
                         [](const auto& test) { return std::string(test.param); });

TEST_P(LlamaOracle, LogitsAgreeWithin1em5) {
  const Bytes expected = read_file(folder_ / "expected.safetensors", 1u << 30).value();
  const auto ids = tensor<std::int64_t>(expected, "input_ids");
  const auto logits = tensor<float>(expected, "logits");
  constexpr std::size_t kTokens = 48;
  Team team(1);
  const auto llama = Llama::make(model_.model, {.compute = Compute::kFloat32}, team).value();
  for (std::size_t sequence = 0; sequence < 2; ++sequence) {
    const std::vector<std::int32_t> row(
        ids.begin() + static_cast<std::ptrdiff_t>(sequence * kTokens),
        ids.begin() + static_cast<std::ptrdiff_t>((sequence + 1) * kTokens));
    const auto ours = llama->logits(model_.parameters, row);
    ASSERT_EQ(ours.size(), kTokens * 256);
    for (std::size_t i = 0; i < ours.size(); ++i)
      ASSERT_NEAR(ours[i], logits[sequence * kTokens * 256 + i], 1e-5) << "logit " << i;
  }
}

TEST_P(LlamaOracle, GreedyTokensAreTheSame) {
  const auto expected = nlohmann::json::parse(std::ifstream(folder_ / "expected.json"));
  const auto prompt = expected["greedy"]["prompt"].get<std::vector<std::int64_t>>();
  const auto tokens = expected["greedy"]["tokens"].get<std::vector<std::int64_t>>();
  EXPECT_EQ(greedy(model_.model, model_.parameters, prompt, tokens.size()), tokens);
}

TEST_P(LlamaOracle, Bf16StaysNearFp32) {
  TrainerConfig config;
  muster::testing::TemporaryDirectory directory;
  const Bytes expected = read_file(folder_ / "expected.safetensors", 1u << 30).value();
  const auto ids = tensor<std::int64_t>(expected, "input_ids");
  ASSERT_TRUE(write_byte_tokens(directory / "t.bin", Bytes(ids.begin(), ids.end())));
  config.model = model_.model;
  config.model.context = 47;
  config.train_data = config.held_out_data = directory / "t.bin";
  const auto facts = nlohmann::json::parse(std::ifstream(folder_ / "expected.json"));
  const double loss = facts["loss_next_token"].get<double>();
  auto held_out_loss = [&](Compute compute) {
    config.compute.compute = compute;
    return make_loss_probe(config, model_.parameters).value()->held_out_loss().value();
  };
  EXPECT_NEAR(held_out_loss(Compute::kFloat32), loss, 1e-5);
  if (available_kernels<Bf16>().empty()) GTEST_SKIP() << "this CPU does not multiply bf16";
  EXPECT_NEAR(held_out_loss(Compute::kBfloat16), loss, 0.01 * loss);
}

// Five AdamW steps of PyTorch: lr 1e-3, clip 1, weight decay on everything or on matrices only.
struct FiveSteps {
  explicit FiveSteps(bool decay_vectors)
      : expected(nlohmann::json::parse(std::ifstream(
            kOracles / "train/steps.json"))[decay_vectors ? "decay_all" : "decay_2d_only"]) {
    muster::testing::TemporaryDirectory directory;
    const Bytes file = read_file(kOracles / "train/batches.safetensors", 1u << 30).value();
    const auto ids = tensor<std::int64_t>(file, "ids");
    MUSTER_CHECK(write_byte_tokens(directory / "t.bin", Bytes(ids.begin(), ids.end())), "tokens");
    const ImportedModel start = import_hf(kOracles / "untied").value();
    layout = state::layout_of(start.model);
    TrainerConfig config;
    config.model = start.model;
    config.model.context = 32;
    config.train_data = config.held_out_data = directory / "t.bin";
    config.schedule = {1e-3, 0, 0, 1};
    config.compute.compute = Compute::kFloat32;
    config.optimizer.decay_vectors = decay_vectors;
    std::vector<std::uint64_t> sequences(20);
    std::iota(sequences.begin(), sequences.end(), std::uint64_t{0});
    trained = train_alone(config, start.parameters, sequences, [this](std::uint32_t, double loss) {
                losses.push_back(loss);
              }).value();
  }

  nlohmann::json expected;
  compression::Layout layout;
  std::vector<double> losses;
  std::vector<float> trained;
};

class TrainingOracle : public ::testing::TestWithParam<bool> {};
INSTANTIATE_TEST_SUITE_P(Decay, TrainingOracle, ::testing::Bool(), [](const auto& test) {
  return test.param ? "OfEverything" : "OfMatrices";
});

TEST_P(TrainingOracle, EveryStepHasTheLossOfPyTorch) {
  const FiveSteps run(GetParam());
  const auto expected = run.expected["loss"].get<std::vector<double>>();
  ASSERT_EQ(run.losses.size(), expected.size());
  for (std::size_t step = 0; step < expected.size(); ++step)
    EXPECT_NEAR(run.losses[step], expected[step], 1e-5) << "step " << step;
}

TEST_P(TrainingOracle, TheFinalWeightsHaveTheSumsOfPyTorch) {
  const FiveSteps run(GetParam());
  for (const auto& candidate : run.layout.tensors()) {
    double sum = 0;
    for (std::size_t i = 0; i < candidate.elements; ++i)
      sum += std::abs(static_cast<double>(run.trained[candidate.offset + i]));
    const double expected = run.expected["final"][candidate.name]["abs_sum"].get<double>();
    EXPECT_NEAR(sum, expected, 1e-6 * expected) << candidate.name;
  }
}

// By root mean square: AdamW divides by tiny second moments, which spreads the rounding of single
// weights.
TEST(TrainingOracleWeights, TheFinalWeightsAgreeOneByOne) {
  const FiveSteps run(/*decay_vectors=*/false);
  const Bytes file =
      read_file(kOracles / "train/final_decay_2d_only.safetensors", 1u << 30).value();
  double squares = 0;
  for (const auto& candidate : run.layout.tensors()) {
    const auto expected = tensor<float>(file, candidate.name);
    for (std::size_t i = 0; i < expected.size(); ++i)
      squares += std::pow(static_cast<double>(run.trained[candidate.offset + i] - expected[i]), 2);
  }
  EXPECT_LE(std::sqrt(squares / static_cast<double>(run.trained.size())), 1e-6);
}

}  // namespace
}  // namespace muster::trainer
