#include "trainer/llama/llama.h"

#include <cmath>

#include "tests/trainer/trainer_fixture.h"

namespace muster::trainer {
namespace {

struct Example {
  state::ModelSpec model;
  std::vector<float> theta;
  std::vector<std::int32_t> tokens;

  explicit Example(const state::ModelSpec& spec, std::size_t sequences = 3)
      : model(spec),
        theta(state::layout_of(spec).parameters()),
        tokens(sequences * (spec.context + 1)) {
    state::initial_parameters(model, 11, theta);
    Prng random(4);
    for (auto& token : tokens) token = static_cast<std::int32_t>(random.below(model.vocab));
  }

  struct Outcome {
    double loss;
    std::vector<float> gradient;
    bool operator==(const Outcome&) const = default;
  };
  Outcome run(Compute compute, unsigned threads = 1, bool recompute = false) const {
    Team team(threads);
    auto llama = Llama::make(model, {compute, recompute}, team).value();
    Outcome outcome{0, std::vector<float>(theta.size())};
    outcome.loss = llama->add_gradient(theta, tokens, 1, outcome.gradient);
    return outcome;
  }
};

// Sizes that no panel, vector or block divides, several blocks of attention, shared key/value
// heads.
state::ModelSpec odd_model(bool tied) {
  return {.d_model = 60,
          .layers = 2,
          .heads = 6,
          .kv_heads = 3,
          .d_ff = 86,
          .context = 150,
          .vocab = 97,
          .tied = tied};
}

class LlamaTest : public ::testing::TestWithParam<Compute> {
 protected:
  void SetUp() override {
    if (GetParam() == Compute::kBfloat16 && available_kernels<Bf16>().empty())
      GTEST_SKIP() << "this CPU does not multiply bf16";
  }
};
INSTANTIATE_TEST_SUITE_P(Formats, LlamaTest,
                         ::testing::Values(Compute::kFloat32, Compute::kBfloat16),
                         [](const auto& test) {
                           return test.param == Compute::kFloat32 ? "fp32" : "bf16";
                         });

TEST_P(LlamaTest, GivesTheSameBitsForAnyNumberOfThreads) {
  const Example example(odd_model(false));
  const auto one = example.run(GetParam());
  EXPECT_EQ(example.run(GetParam(), 2), one);
  EXPECT_EQ(example.run(GetParam(), 5), one);
}

// The mean over a sequence is that of its windows, each by its length; and fp32 agrees with it
// closely.
TEST_P(LlamaTest, GivesAWindowItsShareOfTheGradient) {
  for (const bool tied : {true, false}) {
    const Example example(odd_model(tied), 1);
    Team team(1);
    auto llama = Llama::make(example.model, {GetParam()}, team).value();
    const std::size_t context = example.model.context, ends[] = {1, 33, 101, context};
    std::vector<double> sum(example.theta.size());
    std::size_t first = 0;
    for (const std::size_t end : ends) {
      std::vector<float> gradient(example.theta.size());
      llama->add_window_gradient(example.theta, example.tokens, first, end, gradient);
      const double share = static_cast<double>(end - first) / static_cast<double>(context);
      for (std::size_t i = 0; i < sum.size(); ++i)
        sum[i] += share * static_cast<double>(gradient[i]);
      first = end;
    }
    const auto whole = example.run(GetParam()).gradient;
    double difference = 0, square = 0;
    for (std::size_t i = 0; i < sum.size(); ++i) {
      difference += std::pow(sum[i] - static_cast<double>(whole[i]), 2);
      square += std::pow(static_cast<double>(whole[i]), 2);
    }
    EXPECT_LT(std::sqrt(difference / square), GetParam() == Compute::kFloat32 ? 1e-5 : 2e-2);
  }
}

TEST_P(LlamaTest, DoesNotLookBehindAWindow) {
  const Example example(odd_model(true), 1);
  Team team(1);
  auto llama = Llama::make(example.model, {GetParam()}, team).value();
  std::vector<float> one(example.theta.size()), other = one;
  llama->add_window_gradient(example.theta, example.tokens, 20, 60, one);
  auto changed = example.tokens;
  for (std::size_t i = 61; i < changed.size(); ++i) changed[i] = 5;
  llama->add_window_gradient(example.theta, changed, 20, 60, other);
  EXPECT_EQ(one, other);
}

TEST_P(LlamaTest, GivesTheSameBitsWhenActivationsAreComputedAgain) {
  const Example example(odd_model(true));
  EXPECT_EQ(example.run(GetParam(), 1, true), example.run(GetParam(), 1, false));
}

TEST_P(LlamaTest, GivesTheSameBitsWhenItsBuffersAreNotNew) {
  const Example large(odd_model(true), 4), small(odd_model(true), 1);
  Team team(1);
  auto llama = Llama::make(large.model, {GetParam(), false}, team).value();
  std::vector<float> used(large.theta.size()), again(large.theta.size());
  const double first = llama->add_gradient(large.theta, large.tokens, 1, used);
  std::vector<float> losses(1);
  llama->losses(small.theta, small.tokens, losses);
  EXPECT_EQ(llama->add_gradient(large.theta, large.tokens, 1, again), first);
  EXPECT_EQ(again, used);
}

TEST_P(LlamaTest, AddsAScaledGradientToWhatIsThere) {
  const Example example(odd_model(true));
  const auto whole = example.run(GetParam());
  Team team(1);
  auto llama = Llama::make(example.model, {GetParam(), false}, team).value();
  std::vector<float> sum(example.theta.size());
  for (std::size_t i = 0; i < 3; ++i)
    llama->add_gradient(example.theta, std::span(example.tokens).subspan(i * 151, 151), 1.0f / 3,
                        sum);
  double difference = 0, norm = 0;
  for (std::size_t i = 0; i < sum.size(); ++i) {
    difference += std::pow(sum[i] - whole.gradient[i], 2);
    norm += std::pow(whole.gradient[i], 2);
  }
  EXPECT_LT(std::sqrt(difference / norm), GetParam() == Compute::kFloat32 ? 1e-6 : 1e-2);
}

TEST_P(LlamaTest, MeasuresTheLossesOfEachSequenceAsInTraining) {
  const Example example(odd_model(false));
  Team team(2);
  auto llama = Llama::make(example.model, {GetParam(), false}, team).value();
  std::vector<float> losses(3);
  llama->losses(example.theta, example.tokens, losses);
  EXPECT_NEAR((losses[0] + losses[1] + losses[2]) / 3, example.run(GetParam()).loss, 1e-6);
}

// Central differences along the gradient itself: the loss must fall by the gradient's square.
TEST(Llama, ItsGradientIsTheSlopeOfItsLoss) {
  const Example example(odd_model(false));
  const auto outcome = example.run(Compute::kFloat32);
  double square = 0;
  for (float g : outcome.gradient) square += static_cast<double>(g) * static_cast<double>(g);
  const double step = 5e-3 / std::sqrt(square);
  auto loss_at = [&](double sign) {
    Example moved = example;
    for (std::size_t i = 0; i < moved.theta.size(); ++i)
      moved.theta[i] += static_cast<float>(sign * step) * outcome.gradient[i];
    return moved.run(Compute::kFloat32).loss;
  };
  const double slope = (loss_at(1) - loss_at(-1)) / (2 * step);
  EXPECT_NEAR(slope / square, 1, 5e-3);
}

TEST(Llama, InBf16StaysNearFp32) {
  if (available_kernels<Bf16>().empty()) GTEST_SKIP() << "this CPU does not multiply bf16";
  const Example example(odd_model(false));
  const auto exact = example.run(Compute::kFloat32), rounded = example.run(Compute::kBfloat16);
  EXPECT_NEAR(rounded.loss, exact.loss, 2e-3);
  double dot = 0, a = 0, b = 0;
  for (std::size_t i = 0; i < exact.gradient.size(); ++i) {
    const double x = exact.gradient[i], y = rounded.gradient[i];
    dot += x * y;
    a += x * x;
    b += y * y;
  }
  EXPECT_GT(dot / std::sqrt(a * b), 0.9998);
}

TEST(Llama, RefusesWhatCannotWork) {
  Team team(1);
  auto odd = odd_model(true);
  odd.d_ff = 85;
  EXPECT_FALSE(Llama::make(odd, {Compute::kBfloat16, false}, team).has_value());
  EXPECT_TRUE(Llama::make(odd, {Compute::kAuto, false}, team).has_value())
      << "fp32 takes any width";
  auto uneven = odd_model(true);
  uneven.kv_heads = 4;
  const auto result = Llama::make(uneven, {}, team);
  ASSERT_FALSE(result.has_value());
  EXPECT_NE(result.error().message.find("kv_heads"), std::string::npos) << result.error().message;
}

}  // namespace
}  // namespace muster::trainer
