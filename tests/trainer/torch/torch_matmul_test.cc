// The same model with LibTorch's matrix products and with ours.
#include <gtest/gtest.h>

#include <cmath>

#include "base/prng.h"
#include "trainer/llama/llama.h"
#include "trainer/llama/matmul_library.h"

namespace muster::trainer {
namespace {

const state::ModelSpec kModel{.d_model = 48,
                              .layers = 2,
                              .heads = 4,
                              .kv_heads = 2,
                              .d_ff = 72,
                              .context = 40,
                              .vocab = 75,
                              .tied = true};
const std::filesystem::path kLibraries = std::filesystem::path(MUSTER_BINARY_DIR) / "bin";

struct Outcome {
  double loss;
  std::vector<float> gradient;
};

Outcome run(Compute compute, MatmulChoice matmul) {
  std::vector<float> theta(state::layout_of(kModel).parameters());
  state::initial_parameters(kModel, 2, theta);
  std::vector<std::int32_t> tokens(3 * (kModel.context + 1));
  Prng random(6);
  for (auto& token : tokens) token = static_cast<std::int32_t>(random.below(kModel.vocab));
  Team team(2);
  Outcome outcome{0, std::vector<float>(theta.size())};
  auto llama = Llama::make(kModel, {compute, false, matmul, kLibraries}, team).value();
  EXPECT_NE(llama->path().find(matmul == MatmulChoice::kTorch ? "libtorch" : "own"),
            std::string::npos);
  outcome.loss = llama->add_gradient(theta, tokens, 1, outcome.gradient);
  return outcome;
}

double relative_difference(const Outcome& a, const Outcome& b) {
  double difference = 0, norm = 0;
  for (std::size_t i = 0; i < a.gradient.size(); ++i) {
    difference += std::pow(a.gradient[i] - b.gradient[i], 2);
    norm += std::pow(b.gradient[i], 2);
  }
  return std::sqrt(difference / norm);
}

TEST(TorchMatmul, GivesTheGradientsOfOurOwnInFp32) {
  const auto ours = run(Compute::kFloat32, MatmulChoice::kOwn),
             theirs = run(Compute::kFloat32, MatmulChoice::kTorch);
  EXPECT_NEAR(theirs.loss, ours.loss, 1e-6);
  EXPECT_LT(relative_difference(theirs, ours), 1e-5);
}

TEST(TorchMatmul, GivesNearlyTheGradientsOfOurOwnInBf16) {
  if (available_kernels<Bf16>().empty()) GTEST_SKIP() << "this CPU does not multiply bf16";
  const auto ours = run(Compute::kBfloat16, MatmulChoice::kOwn),
             theirs = run(Compute::kBfloat16, MatmulChoice::kTorch);
  EXPECT_NEAR(theirs.loss, ours.loss, 2e-3);
  EXPECT_LT(relative_difference(theirs, ours), 2e-2);
}

TEST(TorchMatmul, SaysHowToGetALibraryThatIsMissing) {
  Team team(1);
  const auto result =
      Llama::make(kModel, {Compute::kAuto, false, MatmulChoice::kTorch, "/nonexistent"}, team);
  ASSERT_FALSE(result.has_value());
  EXPECT_NE(result.error().message.find("fetch_libtorch.sh"), std::string::npos)
      << result.error().message;
}

}  // namespace
}  // namespace muster::trainer
