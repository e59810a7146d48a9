// What every Card's Model must do: what the CPU's training does, within rounding. Instantiate
// ModelConformance with the cards there are; a card that cannot be opened skips its tests and says
// why.
#pragma once

#include <cstring>

#include "cuda/gpu.h"
#include "tests/cuda/llama/example.h"
#include "trainer/optim/gradient_norm.h"
#include "trainer/optim/optimizer.h"

namespace muster::gpu {

struct ModelMaker {
  std::string name;
  std::function<Result<std::shared_ptr<Card>>()> open;
  Compute compute = Compute::kFloat32;
  [[nodiscard]] bool rounds() const { return compute == Compute::kBfloat16; }
};
inline void PrintTo(const ModelMaker& maker, std::ostream* out) { *out << maker.name; }

class ModelConformance : public ::testing::TestWithParam<ModelMaker> {
 protected:
  void SetUp() override {
    auto card = GetParam().open();
    if (!card) GTEST_SKIP() << card.error().message;
    card_ = *card;
  }
  [[nodiscard]] double gradient_error() const { return GetParam().rounds() ? 0.03 : 1e-4; }
  [[nodiscard]] double loss_error() const { return GetParam().rounds() ? 2e-2 : 1e-4; }

  [[nodiscard]] std::unique_ptr<TrainableModel> make(const LlamaExample& example,
                                                     std::uint32_t at_once,
                                                     const OptimizerConfig& optimizer = {}) const {
    auto made = card_->make_model({.spec = example.model,
                                   .sequences = at_once,
                                   .compute = GetParam().compute,
                                   .optimizer = optimizer});
    MUSTER_CHECK(made.has_value(), made ? "" : made.error().message);
    (*made)->parameters().write(example.theta).value();
    (*made)->parameters_changed().value();
    return std::move(made).value();
  }
  static std::vector<float> read(const FloatArray& array) {
    std::vector<float> values(array.size());
    array.read(values).value();
    return values;
  }
  void expect_as_on_cpus(const LlamaExample& example, std::uint32_t at_once) const {
    const auto expected = example.expected();
    const auto model = make(example, at_once);
    const StepOutcome outcome = model->compute_gradient(example.tokens).value();
    EXPECT_NEAR(outcome.loss, expected.loss, loss_error());
    const auto gradient = read(model->gradient());
    expect_near_gradient(example.model, gradient, expected.gradient, gradient_error());
    double square = 0;
    for (const float g : gradient) square += static_cast<double>(g) * static_cast<double>(g);
    EXPECT_NEAR(outcome.gradient_norm, std::sqrt(square), 1e-9 * std::sqrt(square));
    std::vector<float> losses(example.sequences);
    model->losses(example.tokens, losses).value();
    for (std::size_t s = 0; s < losses.size(); ++s)
      EXPECT_NEAR(losses[s], expected.losses[s], loss_error());
  }
  static StepSettings settings_of(std::uint64_t number) {
    return {.learning_rate = 3e-3f,
            .number = number,
            .clip = 1,
            .loss_limit = INFINITY,
            .norm_limit = INFINITY};
  }

  std::shared_ptr<Card> card_;
};

TEST_P(ModelConformance, GivesTheCpusGradientWithSharedKeysAndStretchedAngles) {
  expect_as_on_cpus(LlamaExample(odd_card_model(false)), 2);
}

TEST_P(ModelConformance, GivesTheCpusGradientOfAWindow) {
  for (const bool tied : {true, false}) {
    const LlamaExample example(odd_card_model(tied), 1);
    const std::uint32_t context = example.model.context, first = context / 3, end = context - 2;
    const auto model = make(example, 2);
    const double whole = model->compute_gradient(example.tokens).value().gradient_norm;
    model->compute_window_gradient(example.tokens, first, end).value();
    expect_near_gradient(example.model, read(model->gradient()),
                         example.window_gradient(first, end), gradient_error());
    EXPECT_EQ(model->compute_gradient(example.tokens).value().gradient_norm, whole)
        << "of all positions again";
  }
}

TEST_P(ModelConformance, GivesTheCpusGradientOfATiedModelInSeveralPasses) {
  expect_as_on_cpus(LlamaExample(odd_card_model(true), 5), 2);
}

TEST_P(ModelConformance, GivesTheCpusGradientForHeadsOf64) {
  expect_as_on_cpus(LlamaExample({.d_model = 128,
                                  .layers = 2,
                                  .heads = 2,
                                  .kv_heads = 2,
                                  .d_ff = 200,
                                  .context = 200,
                                  .vocab = 512,
                                  .tied = false}),
                    2);
}

TEST_P(ModelConformance, GivesTheCpusGradientForHeadsOf128) {
  expect_as_on_cpus(LlamaExample({.d_model = 256,
                                  .layers = 1,
                                  .heads = 2,
                                  .kv_heads = 1,
                                  .d_ff = 128,
                                  .context = 130,
                                  .vocab = 64,
                                  .tied = true}),
                    2);
}

TEST_P(ModelConformance, TakesTheCpusSteps) {
  const LlamaExample example(odd_card_model(true));
  const auto model = make(example, 2);
  Team team(1);
  auto llama =
      trainer::Llama::make(example.model, {.compute = trainer::Compute::kFloat32}, team).value();
  const auto layout = state::layout_of(example.model);
  const auto optimizer = trainer::make_optimizer({}, layout, team);
  std::vector<float> theta(example.theta), gradient(theta.size());
  double first = 0, last = 0;
  for (std::uint64_t step = 1; step <= 20; ++step) {
    std::ranges::fill(gradient, 0.0f);
    const double loss = llama->add_gradient(theta, example.tokens, 1, gradient);
    const double norm = std::sqrt(trainer::sum_squares(gradient, team));
    const double rate = static_cast<double>(settings_of(step).learning_rate);
    optimizer->step(theta, gradient, rate, static_cast<float>(trainer::clip_factor(norm, 1)));
    const StepOutcome outcome = model->step(example.tokens, settings_of(step)).value();
    ASSERT_TRUE(outcome.applied);
    ASSERT_NEAR(outcome.loss, loss, loss_error() * 4) << "step " << step;
    // θ is not the same any more, and the norm of so small a batch's gradient is sensitive to it.
    ASSERT_NEAR(outcome.gradient_norm, norm, norm * (GetParam().rounds() ? 0.3 : 1e-3))
        << "step " << step;
    (step == 1 ? first : last) = loss;
  }
  EXPECT_LT(last, 0.8 * first) << "there is something to learn";
  if (!GetParam().rounds()) {
    EXPECT_LE(relative_error(read(model->parameters()), theta), 1e-3);
  }
}

TEST_P(ModelConformance, TakesTheCpusStepsWithMuon) {
  const LlamaExample example(odd_card_model(true));
  const auto model = make(example, 2, {.kind = OptimizerKind::kMuon});
  Team team(1);
  auto llama =
      trainer::Llama::make(example.model, {.compute = trainer::Compute::kFloat32}, team).value();
  const auto layout = state::layout_of(example.model);
  const auto optimizer = trainer::make_optimizer({.kind = OptimizerKind::kMuon}, layout, team);
  std::vector<float> theta(example.theta), gradient(theta.size());
  for (std::uint64_t step = 1; step <= 5; ++step) {
    std::ranges::fill(gradient, 0.0f);
    const double loss = llama->add_gradient(theta, example.tokens, 1, gradient);
    const double norm = std::sqrt(trainer::sum_squares(gradient, team));
    const double rate = static_cast<double>(settings_of(step).learning_rate);
    optimizer->step(theta, gradient, rate, static_cast<float>(trainer::clip_factor(norm, 1)));
    const StepOutcome outcome = model->step(example.tokens, settings_of(step)).value();
    ASSERT_TRUE(outcome.applied);
    ASSERT_NEAR(outcome.loss, loss, loss_error() * 4) << "step " << step;
  }
  // How far θ went, and whereto.
  auto moved = read(model->parameters());
  for (std::size_t i = 0; i < theta.size(); ++i) {
    moved[i] -= example.theta[i];
    theta[i] -= example.theta[i];
  }
  EXPECT_LE(relative_error(moved, theta), GetParam().rounds() ? 0.25 : 0.02);
  const auto expected = optimizer->state();
  const auto memory = model->optimizer_arrays();
  ASSERT_EQ(memory.size(), expected.size());
  for (std::size_t i = 0; i < memory.size(); ++i) {
    EXPECT_EQ(memory[i].name, expected[i].name);
    EXPECT_LE(relative_error(read(*memory[i].values), expected[i].values),
              GetParam().rounds() ? 0.2 : 0.02);
  }
}

TEST_P(ModelConformance, GivesTheSameBitsOnEveryRun) {
  const LlamaExample example(odd_card_model(false), 5);
  std::vector<std::vector<float>> results;
  for (int run = 0; run < 2; ++run) {
    const auto model = make(example, 2);
    for (std::uint64_t step = 1; step <= 5; ++step)
      model->step(example.tokens, settings_of(step)).value();
    results.push_back(read(model->parameters()));
  }
  EXPECT_EQ(std::memcmp(results[0].data(), results[1].data(), results[0].size() * sizeof(float)),
            0);
}

TEST_P(ModelConformance, LeavesEverythingAsItWasWhenAStepIsRefused) {
  LlamaExample example(odd_card_model(false));
  const auto model = make(example, 2);
  ASSERT_TRUE(model->step(example.tokens, settings_of(1)).value().applied);
  const auto memory = [&](std::size_t i) { return read(*model->optimizer_arrays()[i].values); };
  const auto theta = read(model->parameters()), first = memory(0), second = memory(1);
  StepSettings strict = settings_of(2);
  strict.loss_limit = strict.norm_limit = 0;
  EXPECT_FALSE(model->step(example.tokens, strict).value().applied) << "a spike";
  EXPECT_EQ(read(model->parameters()), theta);
  EXPECT_EQ(memory(0), first);
  EXPECT_EQ(memory(1), second);
  auto broken = theta;
  broken[broken.size() / 2] = std::numeric_limits<float>::infinity();
  model->parameters().write(broken).value();
  model->parameters_changed().value();
  EXPECT_FALSE(model->step(example.tokens, settings_of(2)).value().applied) << "not finite";
  EXPECT_EQ(read(model->parameters()), broken);
  EXPECT_EQ(memory(0), first);
}

TEST_P(ModelConformance, TakesBatchesOfAnySizeOneAfterTheOther) {
  const LlamaExample large(odd_card_model(true), 5), small(odd_card_model(true), 1, 9);
  const auto model = make(large, 2);
  for (int time = 0; time < 3; ++time) {
    EXPECT_NEAR(model->compute_gradient(large.tokens).value().loss, large.expected().loss,
                loss_error());
    EXPECT_NEAR(model->compute_gradient(small.tokens).value().loss, small.expected().loss,
                loss_error());
  }
}

TEST_P(ModelConformance, RefusesWhatACardDoesNotTake) {
  LlamaExample example(odd_card_model(true));
  example.model.d_ff = 137;
  const auto made = card_->make_model({.spec = example.model});
  ASSERT_FALSE(made.has_value());
  EXPECT_EQ(made.error().code, Errc::kInvalidArgument);
}

}  // namespace muster::gpu
