#include "compression/error_feedback.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <limits>

#include "base/prng.h"

namespace muster::compression {
namespace {

class ErrorFeedbackTest : public ::testing::TestWithParam<PayloadFormat> {
 protected:
  static constexpr float kBeta = 0.9f;
  const PayloadFormat format_ = GetParam();
  Layout layout_ = Layout::make({{"a", {3, 4096}}, {"b", {77}}}).value();
  std::vector<float> first_ = std::vector<float>(layout_.parameters(), 0.0f), second_ = first_;
  ErrorFeedback feedback_{first_, second_};
  Prng random_{3};

  std::vector<float> delta() {
    std::vector<float> values(layout_.parameters());
    for (float& x : values) x = static_cast<float>(random_.uniform() - 0.5);
    return values;
  }
  Payload compressed(const std::vector<float>& update) {
    std::copy(update.begin(), update.end(), feedback_.delta().begin());
    return feedback_.compress(layout_, format_).value();
  }
  std::vector<float> residual() {
    return {feedback_.residual().begin(), feedback_.residual().end()};
  }
};

TEST_P(ErrorFeedbackTest, KeepsWhatCompressionLeftOut) {
  const Layout layout = Layout::make({{"a", {4}}}).value();
  std::vector<float> residual(4, 0.0f), delta{4, 1, 0, 0};
  ErrorFeedback feedback(residual, delta);
  ASSERT_TRUE(feedback.compress(layout, {1, ValueFormat::kSign}));
  feedback.settle_delivered(0.5f);
  EXPECT_EQ(std::vector<float>(feedback.residual().begin(), feedback.residual().end()),
            (std::vector<float>{0, 0.5f, 0, 0}));
}

// e ← β(e + Δ − decoded), e ← β(e + Δ), e ← βe, written the plainest way.
TEST_P(ErrorFeedbackTest, FollowsItsDefinitionThroughAnyHistory) {
  std::vector<float> expected(layout_.parameters(), 0.0f);
  for (int round = 0; round < 40; ++round) {
    const std::uint64_t kind = random_.below(3);
    if (random_.chance(0.2))
      (void)compressed(delta());  // made, and made again: the last one counts
    if (kind == 2) {
      feedback_.settle_missed(kBeta);
    } else {
      const auto update = delta();
      const Payload payload = compressed(update);
      for (std::size_t i = 0; i < expected.size(); ++i) expected[i] += update[i];
      auto left = expected;
      for (const Payload& part : split_parts(payload).value()) {
        const bool is_fresh =
            format_.has_memory() && part.format == format_.fresh_part() && left == expected;
        ASSERT_EQ(part, compress(layout_, part.format, is_fresh ? update : left).value())
            << "round " << round;
        const SparseUpdate sent = decode(layout_, part).value();
        for (std::size_t i = 0; i < sent.indices.size(); ++i)
          left[sent.indices[i]] -= sent.values[i];
      }
      if (kind == 0) {
        expected = left;
        feedback_.settle_delivered(kBeta);
      } else {
        feedback_.settle_kept(kBeta);
      }
    }
    for (float& value : expected) value *= kBeta;
    if (round % 5 == 0) {
      ASSERT_EQ(residual(), expected) << "round " << round;
    }
  }
  EXPECT_EQ(residual(), expected);
}

// A block in which both parts have entries in common keeps e + Δ of each once.
TEST_P(ErrorFeedbackTest, KeepsTheOriginalsOfAPendingPayloadOnceAndInOrder) {
  (void)compressed(delta());
  feedback_.settle_delivered(kBeta);
  const std::vector<float> owed = residual(), update = delta();
  (void)compressed(update);
  const auto state = feedback_.state();
  EXPECT_TRUE(std::ranges::adjacent_find(state.indices, std::greater_equal{}) ==
              state.indices.end());
  for (std::size_t i = 0; i < state.indices.size(); ++i)
    ASSERT_EQ(state.originals[i], owed[state.indices[i]] + update[state.indices[i]]);
}

// A state with entries but nothing pending is refused by whoever reads it back.
TEST_P(ErrorFeedbackTest, HasNothingToSaveOfAPayloadThatMissedItsRound) {
  (void)compressed(delta());
  feedback_.settle_missed(kBeta);
  const ErrorFeedback::State state = feedback_.state();
  EXPECT_FALSE(state.pending);
  EXPECT_TRUE(state.indices.empty());
  EXPECT_TRUE(state.originals.empty());
}

TEST_P(ErrorFeedbackTest, HasNothingToSaveOfAnUpdateThatIsNotFinite) {
  auto update = delta();
  update.back() = std::numeric_limits<float>::infinity();
  std::copy(update.begin(), update.end(), feedback_.delta().begin());
  ASSERT_FALSE(feedback_.compress(layout_, format_));
  EXPECT_FALSE(feedback_.state().pending);
  EXPECT_TRUE(feedback_.state().indices.empty());
}

TEST_P(ErrorFeedbackTest, GoesOnFromItsState) {
  (void)compressed(delta());
  feedback_.settle_delivered(kBeta);
  (void)compressed(delta());

  std::vector<float> e(feedback_.residual().begin(), feedback_.residual().end());
  std::vector<float> sum(feedback_.delta().begin(), feedback_.delta().end());
  ErrorFeedback restored(e, sum);
  restored.restore(feedback_.state());
  EXPECT_TRUE(restored.is_pending());
  feedback_.settle_kept(kBeta);
  restored.settle_kept(kBeta);
  EXPECT_EQ(residual(), std::vector<float>(restored.residual().begin(), restored.residual().end()));
}

TEST_P(ErrorFeedbackTest, IsTheSameOnAnyNumberOfThreads) {
  const Layout layout = Layout::make({{"a", {2100, 4096}}}).value();
  std::vector<float> update(layout.parameters());
  for (float& x : update) x = static_cast<float>(random_.uniform() - 0.5);
  std::vector<float> first(update.size(), 0.0f), second = update;
  std::vector<float> other_first = first, other_second = second;
  ErrorFeedback a(first, second), b(other_first, other_second);
  for (int round = 0; round < 3; ++round) {
    std::copy(update.begin(), update.end(), a.delta().begin());
    std::copy(update.begin(), update.end(), b.delta().begin());
    EXPECT_EQ(a.compress(layout, format_, 1).value(), b.compress(layout, format_, 3).value());
    a.settle_delivered(kBeta);
    b.settle_delivered(kBeta);
  }
  EXPECT_TRUE(std::equal(a.residual().begin(), a.residual().end(), b.residual().begin()));
}

INSTANTIATE_TEST_SUITE_P(Formats, ErrorFeedbackTest,
                         ::testing::Values(PayloadFormat{64, ValueFormat::kSign},
                                           two_part_format(64, ValueFormat::kSign),
                                           two_part_format(2048, ValueFormat::kSign),
                                           two_part_format(65, ValueFormat::kMagnitude3)),
                         [](const auto& format) {
                           return "Keep" + std::to_string(format.param.keep) + "Memory" +
                                  std::to_string(format.param.memory_keep);
                         });

TEST(ErrorFeedback, HasAFreshPartThatDoesNotDependOnWhatIsOwed) {
  const Layout layout = Layout::make({{"a", {4096}}, {"b", {77}}}).value();
  const PayloadFormat format = two_part_format(64, ValueFormat::kSign);
  Prng random(5);
  std::vector<float> update(layout.parameters()), owed(layout.parameters()),
      nothing(layout.parameters(), 0.0f);
  for (float& x : update) x = static_cast<float>(random.uniform() - 0.5);
  for (float& x : owed) x = static_cast<float>(10 * random.uniform());
  std::vector<float> with = update, without = update;
  const Payload one = ErrorFeedback(owed, with).compress(layout, format).value();
  const Payload other = ErrorFeedback(nothing, without).compress(layout, format).value();
  EXPECT_NE(one, other);
  EXPECT_EQ(split_parts(one).value()[0], split_parts(other).value()[0]);
}

TEST(ErrorFeedback, OfNothingOwedIsWhatCompressMakes) {
  const Layout layout = Layout::make({{"a", {2, 4096}}, {"b", {77}}}).value();
  Prng random(6);
  std::vector<float> update(layout.parameters()), nothing(layout.parameters(), 0.0f);
  for (float& x : update) x = static_cast<float>(random.uniform() - 0.5);
  for (const PayloadFormat& format :
       {two_part_format(300, ValueFormat::kSignMagnitude), PayloadFormat{}}) {
    std::vector<float> delta = update, residual = nothing;
    EXPECT_EQ(ErrorFeedback(residual, delta).compress(layout, format).value(),
              compress(layout, format, update).value());
  }
}

}  // namespace
}  // namespace muster::compression
