#include "trainer/run/generation.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "trainer/llama/llama.h"

namespace muster::trainer {
namespace {

class GenerationTest : public ::testing::Test {
 protected:
  const state::ModelSpec model_{.d_model = 32,
                                .layers = 2,
                                .heads = 4,
                                .kv_heads = 2,
                                .d_ff = 48,
                                .context = 16,
                                .vocab = 50,
                                .tied = false};
  Team team_{1};
  std::vector<float> theta_ = wide_theta();

  // Wider than initial weights, so that tokens differ in likelihood.
  std::vector<float> wide_theta() const {
    std::vector<float> theta(state::layout_of(model_).parameters());
    state::initial_parameters(model_, 3, theta);
    for (float& value : theta) value *= 3;
    return theta;
  }
  std::vector<std::int32_t> run(const std::vector<std::int32_t>& prompt,
                                const GenerationConfig& config) {
    std::vector<std::int32_t> tokens;
    const Status status = generate(model_, theta_, prompt, config, team_, [&](std::int32_t token) {
      tokens.push_back(token);
      return true;
    });
    EXPECT_TRUE(status) << status.error().message;
    return tokens;
  }
};

TEST_F(GenerationTest, GreedyTakesTheLikeliestOfTheWholePass) {
  const auto engine = Llama::make(model_, {.compute = Compute::kFloat32}, team_).value();
  std::vector<std::int32_t> text{1, 2, 3};
  const auto tokens = run(text, {.sampler = {.temperature = 0}, .tokens = 13});
  for (const std::int32_t token : tokens) {
    const auto logits = engine->logits(theta_, text);
    const auto last = std::span(logits).last(model_.vocab);
    EXPECT_EQ(token, std::ranges::max_element(last) - last.begin()) << "at " << text.size();
    text.push_back(token);
  }
}

TEST_F(GenerationTest, RepeatsForASeedAndDiffersForAnother) {
  GenerationConfig config{.sampler = {.temperature = 1}, .tokens = 40, .seed = 1};
  const auto first = run({5}, config);
  EXPECT_EQ(run({5}, config), first);
  config.seed = 2;
  EXPECT_NE(run({5}, config), first);
}

TEST_F(GenerationTest, GoesOnPastTheContext) {
  const auto tokens = run({5, 6}, {.tokens = 100});
  EXPECT_EQ(tokens.size(), 100u);
  for (const std::int32_t token : tokens) EXPECT_LT(token, 50);
}

TEST_F(GenerationTest, OfAPromptLongerThanTheContextTheLastTokensCount) {
  std::vector<std::int32_t> prompt(40);
  for (std::size_t i = 0; i < prompt.size(); ++i) prompt[i] = static_cast<std::int32_t>(i);
  const GenerationConfig greedy{.sampler = {.temperature = 0}, .tokens = 5};
  EXPECT_EQ(run(prompt, greedy), run({prompt.end() - 16, prompt.end()}, greedy));
}

TEST_F(GenerationTest, StopsWhenToldTo) {
  std::size_t count = 0;
  const std::vector<std::int32_t> prompt{1};
  ASSERT_TRUE(generate(model_, theta_, prompt, {.tokens = 50}, team_,
                       [&](std::int32_t) { return ++count < 7; }));
  EXPECT_EQ(count, 7u);
}

TEST_F(GenerationTest, RefusesPromptsThatItCannotRead) {
  for (const std::vector<std::int32_t>& prompt : {std::vector<std::int32_t>{}, {50}, {1, -1}}) {
    const Status status =
        generate(model_, theta_, prompt, {}, team_, [](std::int32_t) { return true; });
    ASSERT_FALSE(status.has_value());
    EXPECT_EQ(status.error().code, Errc::kInvalidArgument);
  }
}

TEST_F(GenerationTest, RefusesABrokenModel) {
  theta_[40] = std::nanf("");
  const std::vector<std::int32_t> prompt{1};
  EXPECT_EQ(
      generate(model_, theta_, prompt, {}, team_, [](std::int32_t) { return true; }).error().code,
      Errc::kNonFinite);
}

}  // namespace
}  // namespace muster::trainer
