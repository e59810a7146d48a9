// The written-out gradients against PyTorch's automatic ones, on the same model written in its
// operations.
#include <c10/core/GradMode.h>
#include <gtest/gtest.h>

#include "base/prng.h"
#include "tests/trainer/autograd/model.h"
#include "trainer/kernels/kernels.h"
#include "trainer/llama/llama.h"

namespace muster::trainer {
namespace {

struct Case {
  const char* name;
  state::ModelSpec model;
};

void PrintTo(const Case& c, std::ostream* out) { *out << c.name; }

class AutogradTest : public ::testing::TestWithParam<Case> {
 protected:
  state::ModelSpec model_ = GetParam().model;
  std::vector<float> theta_ = [this] {
    std::vector<float> theta(state::layout_of(model_).parameters());
    state::initial_parameters(model_, 2, theta);
    return theta;
  }();
  std::vector<std::int32_t> tokens_ = [this] {
    std::vector<std::int32_t> tokens(2 * (model_.context + 1));
    Prng random(6);
    for (auto& token : tokens) token = static_cast<std::int32_t>(random.below(model_.vocab));
    return tokens;
  }();

  struct Outcome {
    double loss;
    std::vector<float> gradient;
  };
  Outcome reference() {
    const Model model(model_);
    at::Tensor leaf =
        at::from_blob(theta_.data(), {static_cast<std::int64_t>(theta_.size())}, at::kFloat)
            .clone();
    const at::Tensor batch =
        at::from_blob(tokens_.data(), {2, static_cast<std::int64_t>(model_.context) + 1}, at::kInt);
    const c10::AutoGradMode with_gradient(true);
    leaf.set_requires_grad(true);
    const at::Tensor loss = model.losses(leaf, batch.to(at::kLong)).mean();
    loss.backward();
    const float* values = leaf.grad().const_data_ptr<float>();
    return {loss.item<double>(), {values, values + theta_.size()}};
  }
  Outcome ours(Compute compute) {
    Team team(2);
    Outcome outcome{0, std::vector<float>(theta_.size())};
    outcome.loss = Llama::make(model_, {compute, false}, team)
                       .value()
                       ->add_gradient(theta_, tokens_, 1, outcome.gradient);
    return outcome;
  }
  // By tensor, relative to its own norm.
  void expect_near(const Outcome& a, const Outcome& b, double tolerance) {
    const auto layout = state::layout_of(model_);
    for (const auto& tensor : layout.tensors()) {
      double difference = 0, norm = 0;
      for (std::size_t i = tensor.offset; i < tensor.offset + tensor.elements; ++i) {
        const double x = a.gradient[i], y = b.gradient[i];
        difference += (x - y) * (x - y);
        norm += y * y;
      }
      EXPECT_LT(std::sqrt(difference), tolerance * std::sqrt(norm)) << tensor.name;
    }
  }
};

INSTANTIATE_TEST_SUITE_P(Models, AutogradTest,
                         ::testing::Values(Case{"plain",
                                                {.d_model = 64,
                                                 .layers = 2,
                                                 .heads = 4,
                                                 .kv_heads = 4,
                                                 .d_ff = 96,
                                                 .context = 64,
                                                 .vocab = 128,
                                                 .tied = true}},
                                           Case{"grouped",
                                                {.d_model = 96,
                                                 .layers = 3,
                                                 .heads = 6,
                                                 .kv_heads = 2,
                                                 .d_ff = 200,
                                                 .context = 130,
                                                 .vocab = 300,
                                                 .tied = false}},
                                           Case{"wide_heads",
                                                {.d_model = 160,
                                                 .layers = 1,
                                                 .heads = 2,
                                                 .kv_heads = 1,
                                                 .d_ff = 64,
                                                 .context = 70,
                                                 .vocab = 70,
                                                 .tied = true,
                                                 .rope_theta = 500.0f,
                                                 .rope_scaling = state::RopeScaling{4, 1, 4, 32}}}),
                         [](const auto& test) { return std::string(test.param.name); });

TEST_P(AutogradTest, InFp32EveryTensorsGradientAgreesToFiveDigits) {
  const auto expected = reference(), actual = ours(Compute::kFloat32);
  EXPECT_NEAR(actual.loss, expected.loss, 1e-6);
  expect_near(actual, expected, 1e-5);
}

TEST_P(AutogradTest, InBf16EveryTensorsGradientAgreesToThreePercent) {
  if (available_kernels<Bf16>().empty()) GTEST_SKIP() << "this CPU does not multiply bf16";
  const auto expected = reference(), actual = ours(Compute::kBfloat16);
  EXPECT_NEAR(actual.loss, expected.loss, 1e-3);
  expect_near(actual, expected, 3e-2);
}

}  // namespace
}  // namespace muster::trainer
