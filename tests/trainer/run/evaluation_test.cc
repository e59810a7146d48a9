#include "trainer/run/evaluation.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/prng.h"
#include "tests/temporary_directory.h"
#include "trainer/data/token_file.h"
#include "trainer/run/text_evaluation.h"

namespace muster::trainer {
namespace {

class EvaluationTest : public ::testing::Test {
 protected:
  static constexpr std::uint32_t kContext = 8;
  const state::ModelSpec model_{.d_model = 16,
                                .layers = 1,
                                .heads = 2,
                                .kv_heads = 1,
                                .d_ff = 24,
                                .context = kContext,
                                .vocab = 256,
                                .tied = true};
  muster::testing::TemporaryDirectory directory_;
  Team team_{1};
  std::unique_ptr<Llama> engine_ =
      Llama::make(model_, {.compute = Compute::kFloat32}, team_).value();
  std::vector<float> theta_ = initial();
  std::atomic<bool> stop_ = false;

  std::vector<float> initial() const {
    std::vector<float> theta(state::layout_of(model_).parameters());
    state::initial_parameters(model_, 1, theta);
    for (float& value : theta) value *= 2;
    return theta;
  }
  static std::vector<std::int32_t> random_tokens(std::size_t count) {
    Prng random(count);
    std::vector<std::int32_t> tokens(count);
    for (auto& token : tokens) token = static_cast<std::int32_t>(random.below(256));
    return tokens;
  }
  // −log p of tokens[end] after the `seen` before it.
  double loss_at(std::span<const std::int32_t> tokens, std::size_t end, std::size_t seen) {
    const auto logits = engine_->logits(theta_, tokens.subspan(end - seen, seen));
    const auto last = std::span(logits).last(model_.vocab);
    double sum = 0;
    for (const float logit : last) sum += std::exp(static_cast<double>(logit));
    return std::log(sum) - static_cast<double>(last[static_cast<std::size_t>(tokens[end])]);
  }
};

TEST_F(EvaluationTest, PredictsEveryTokenOfATextButTheFirstOnce) {
  for (const std::size_t count : {2, 5, 8, 9, 10, 16, 17, 18, 30}) {
    const auto tokens = random_tokens(count);
    double expected = 0;
    const std::size_t whole = (count - 1) / kContext * kContext;  // predicted in whole windows
    for (std::size_t i = 1; i <= whole; ++i) expected += loss_at(tokens, i, (i - 1) % kContext + 1);
    const std::size_t seen_max =
        std::min<std::size_t>(kContext, count - 1);  // the last window is moved back
    for (std::size_t i = whole + 1; i < count; ++i)
      expected += loss_at(tokens, i, i - (count - 1 - seen_max));
    const auto result = evaluate_text(*engine_, theta_, kContext, tokens, stop_);
    ASSERT_TRUE(result.has_value()) << result.error().message;
    EXPECT_NEAR(result->loss, expected / static_cast<double>(count - 1), 1e-5)
        << count << " tokens";
    EXPECT_EQ(result->tokens, count - 1);
  }
}

TEST_F(EvaluationTest, RefusesATextWithNothingToPredict) {
  for (const std::size_t count : {0, 1})
    EXPECT_EQ(evaluate_text(*engine_, theta_, kContext, random_tokens(count), stop_).error().code,
              Errc::kInvalidArgument);
}

TEST_F(EvaluationTest, OfADataSetIsTheMeanOverItsFirstSequences) {
  Bytes bytes;
  for (const std::int32_t token : random_tokens(9 * 7))
    bytes.push_back(static_cast<std::uint8_t>(token));
  ASSERT_TRUE(write_byte_tokens(directory_ / "data.bin", bytes));
  const auto data = DataSet::open(directory_ / "data.bin", kContext, 256).value();
  const std::vector<std::int32_t> tokens(bytes.begin(), bytes.end());
  std::vector<float> losses(7);
  engine_->losses(theta_, tokens, losses);
  for (const std::uint64_t sequences : {1, 3, 7, 100}) {
    const auto used = std::min<std::uint64_t>(sequences, 7);
    double expected = 0;
    for (std::uint64_t i = 0; i < used; ++i)
      expected += static_cast<double>(losses[i]) / static_cast<double>(used);
    const auto result = evaluate(*engine_, theta_, data, sequences, stop_).value();
    EXPECT_NEAR(result.loss, expected, 1e-6);
    EXPECT_EQ(result.sequences, used);
    EXPECT_EQ(result.tokens, used * kContext);
  }
}

TEST_F(EvaluationTest, StopsWhenAskedTo) {
  stop_ = true;
  EXPECT_EQ(evaluate_text(*engine_, theta_, kContext, random_tokens(100), stop_).error().code,
            Errc::kCancelled);
}

}  // namespace
}  // namespace muster::trainer
