#include "trainer/run/training.h"

#include <gtest/gtest.h>

#include <set>

#include "tests/trainer/run/fake_llama.h"

namespace muster::trainer {
namespace {

class TrainingTest : public ::testing::Test {
 protected:
  muster::testing::TemporaryDirectory directory_;
  DataSet data_ = numbered_data(directory_, 40);
  std::shared_ptr<FakeLlama> llama_ = std::make_shared<FakeLlama>();
  TrainingConfig config_{.model = kFakeModel,
                         .schedule = {.peak = 0.01, .warmup_steps = 2, .total_steps = 50},
                         .batch = 2};
  std::vector<float> theta_ = std::vector<float>(state::layout_of(kFakeModel).parameters(), 0.25f);

  Training make() {
    return Training(
        config_,
        Learner::make(
            std::make_shared<FakeDevice>(llama_),
            {.spec = config_.model, .sequences = config_.batch, .optimizer = config_.optimizer},
            theta_)
            .value(),
        data_);
  }
  static std::vector<StepReport> take(Training& training, int steps) {
    std::vector<StepReport> reports;
    for (int i = 0; i < steps; ++i) reports.push_back(training.step().value());
    return reports;
  }
  // By way of a file.
  void move(Training& from, Training& to) {
    CheckpointHead head = from.head();
    ASSERT_TRUE(write_checkpoint(directory_ / "c", head, from.arrays().value()));
    ASSERT_TRUE(to.restore(CheckpointFile::open(directory_ / "c").value()));
  }
};

TEST_F(TrainingTest, CountsStepsTokensAndTheLearningRate) {
  config_.accumulate = 3;
  Training training = make();
  const auto reports = take(training, 2);
  EXPECT_EQ(reports[1].step, 2u);
  EXPECT_EQ(reports[1].tokens, 2u * 2 * 3 * 8);
  EXPECT_DOUBLE_EQ(reports[0].learning_rate, 0.005);
  EXPECT_EQ(llama_->passes, 6u);
}

TEST_F(TrainingTest, LossFalls) {
  Training training = make();
  const auto reports = take(training, 50);
  EXPECT_LT(reports.back().loss, reports.front().loss);
}

TEST_F(TrainingTest, AccumulatingIsTheMeanOverThePasses) {
  config_.batch = 1;
  config_.accumulate = 4;
  Training apart = make();
  const StepReport report = apart.step().value();
  DataOrder order(config_.seed, 40);
  std::vector<std::uint64_t> ids(4);
  order.fill(0, ids);
  double loss = 0, gradient = 0;
  for (const std::uint64_t id : ids) {
    const double away = 0.25 - static_cast<double>(id) / 256;
    loss += 0.5 * away * away / 4;
    gradient += away / 4;
  }
  EXPECT_NEAR(report.loss, loss, 1e-6);
  EXPECT_NEAR(report.gradient_norm,
              std::abs(gradient) * std::sqrt(static_cast<double>(theta_.size())), 1e-4);
}

TEST_F(TrainingTest, SkipsAStepThatIsNotFiniteAndLeavesEverythingElseAsItWas) {
  Training training = make();
  take(training, 3);
  const std::vector<float> before(training.theta()->begin(), training.theta()->end());
  llama_->spoil = [](std::uint64_t pass, double loss, std::span<float> gradient) {
    if (pass == 4) gradient[7] = std::numeric_limits<float>::quiet_NaN();
    return loss;
  };
  const StepReport report = training.step().value();
  EXPECT_EQ(report.verdict, Verdict::kNonFinite);
  EXPECT_TRUE(std::ranges::equal(training.theta().value(), before));
  EXPECT_EQ(training.head().optimizer_steps, 3u);
  EXPECT_EQ(training.steps_done(), 4u) << "the data moves on";
  EXPECT_EQ(training.skipped(), 1u);
  EXPECT_EQ(training.step().value().verdict, Verdict::kApply);
}

TEST_F(TrainingTest, StopsWhenEveryStepIsBad) {
  config_.guard.skips_max = 3;
  llama_->spoil = [](std::uint64_t, double, std::span<float>) {
    return std::numeric_limits<double>::infinity();
  };
  Training training = make();
  take(training, 2);
  const auto last = training.step();
  ASSERT_FALSE(last.has_value());
  EXPECT_NE(last.error().message.find("step 3"), std::string::npos);
}

TEST_F(TrainingTest, GoesOnInEqualBitsFromACheckpointAtAnyStep) {
  for (const OptimizerKind kind : {OptimizerKind::kAdamW, OptimizerKind::kMuon}) {
    config_.optimizer.kind = kind;
    for (const int cut : {0, 1, 7, 19, 20, 21, 45}) {  // an epoch has 20 steps
      Training whole = make(), first = make(), second = make();
      const auto expected = take(whole, 50);
      take(first, cut);
      move(first, second);
      const auto rest = take(second, 50 - cut);
      for (std::size_t i = 0; i < rest.size(); ++i) {
        const StepReport& want = expected[i + static_cast<std::size_t>(cut)];
        EXPECT_EQ(rest[i].loss, want.loss);
        EXPECT_EQ(rest[i].gradient_norm, want.gradient_norm);
        EXPECT_EQ(rest[i].step, want.step);
      }
      EXPECT_TRUE(std::ranges::equal(whole.theta().value(), second.theta().value()))
          << name_of(kind) << " cut at " << cut;
    }
  }
}

TEST_F(TrainingTest, RefusesACheckpointOfAnotherOptimizer) {
  Training adamw = make();
  config_.optimizer.kind = OptimizerKind::kMuon;
  Training muon = make();
  ASSERT_TRUE(write_checkpoint(directory_ / "c", adamw.head(), adamw.arrays().value()));
  EXPECT_FALSE(muon.restore(CheckpointFile::open(directory_ / "c").value()));
}

TEST(DataOrder, TakesEverySequenceOncePerEpochAndAnotherOrderInEach) {
  DataOrder order(1, 10);
  std::vector<std::uint64_t> all(30);
  order.fill(0, all);
  std::set<std::vector<std::uint64_t>> orders;
  for (std::size_t epoch = 0; epoch < 3; ++epoch) {
    const std::vector<std::uint64_t> one(
        all.begin() + static_cast<std::ptrdiff_t>(epoch * 10),
        all.begin() + static_cast<std::ptrdiff_t>(epoch * 10 + 10));
    EXPECT_EQ(std::set<std::uint64_t>(one.begin(), one.end()).size(), 10u);
    orders.insert(one);
  }
  EXPECT_EQ(orders.size(), 3u);
}

TEST(DataOrder, IsAFunctionOfSeedAndPosition) {
  DataOrder forth(1, 10), other(2, 10);
  std::vector<std::uint64_t> all(30), of_other(30), part(3);
  forth.fill(0, all);
  other.fill(0, of_other);
  EXPECT_NE(all, of_other);
  for (std::uint64_t position = 0; position < 27; position += 3) {
    DataOrder fresh(1, 10);
    fresh.fill(position, part);
    EXPECT_TRUE(std::ranges::equal(part, std::span(all).subspan(position, 3)));
    forth.fill(position, part);  // back and forth
    EXPECT_TRUE(std::ranges::equal(part, std::span(all).subspan(position, 3)));
  }
}

}  // namespace
}  // namespace muster::trainer
