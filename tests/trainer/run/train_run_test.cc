#include "trainer/run/train_run.h"

#include <gtest/gtest.h>

#include "tests/trainer/run/fake_llama.h"

namespace muster::trainer {
namespace {

class Listener final : public RunObserver {
 public:
  void on_step(const StepReport& report, const Speed&, double seconds_left) override {
    steps.push_back(report.step);
    left = seconds_left;
    if (report.step == stop_at) stop = true;
  }
  void on_held_out(std::uint64_t step, double) override { measured.push_back(step); }
  void note(const std::string& text) override { notes += text + "\n"; }

  std::vector<std::uint64_t> steps, measured;
  std::string notes;
  double left = -1;
  std::uint64_t stop_at = 0;
  std::atomic<bool> stop = false;
};

class TrainRunTest : public ::testing::Test {
 protected:
  muster::testing::TemporaryDirectory directory_;
  DataSet data_ = numbered_data(directory_, 40);
  std::shared_ptr<FakeLlama> llama_ = std::make_shared<FakeLlama>();
  TrainingConfig config_{.model = kFakeModel,
                         .schedule = {.peak = 0.01, .warmup_steps = 2, .total_steps = 30},
                         .batch = 2};
  double time_s_ = 0;

  RunSettings settings(const std::string& folder) {
    std::filesystem::create_directories(directory_ / folder);
    return {.folder = directory_ / folder,
            .binding = binding_settings(config_, Hash{}),
            .noted = noted_settings(config_, llama_->path()),
            .evaluate_every = 10,
            .checkpoint_every = 7,
            .seconds = [this] { return time_s_ += 0.125; },
            .wall_s = [this] { return 1.7e9 + time_s_; }};
  }
  Training make() {
    const std::vector<float> theta(state::layout_of(kFakeModel).parameters(), 0.25f);
    return Training(
        config_,
        Learner::make(
            std::make_shared<FakeDevice>(llama_),
            {.spec = config_.model, .sequences = config_.batch, .optimizer = config_.optimizer},
            theta)
            .value(),
        data_);
  }
  Result<RunOutcome> run(Training& training, const RunSettings& with, Listener& listener) {
    Failpoints none;
    return run_training(training, &data_, with, listener, none, listener.stop);
  }
  std::string text(const std::string& name) const {
    const Bytes bytes = read_file(directory_ / name, 1 << 20).value();
    return {bytes.begin(), bytes.end()};
  }
};

TEST_F(TrainRunTest, RunsToTheEndAndMeasuresThere) {
  Training training = make();
  Listener listener;
  const auto outcome = run(training, settings("a"), listener);
  ASSERT_TRUE(outcome.has_value()) << outcome.error().message;
  EXPECT_TRUE(outcome->finished);
  EXPECT_EQ(outcome->tokens, 30u * 2 * 8);
  EXPECT_EQ(listener.steps.size(), 30u);
  EXPECT_EQ(listener.measured, (std::vector<std::uint64_t>{10, 20, 30}));
  EXPECT_EQ(listener.left, 0);
  EXPECT_TRUE(outcome->held_out_loss.has_value());
  EXPECT_EQ(checkpoints_of(directory_ / "a").steps().back(), 30u);
  EXPECT_LE(checkpoints_of(directory_ / "a").steps().size(), 3u);
}

TEST_F(TrainRunTest, StopsAfterTheStepWithACheckpointAndGoesOnInEqualBytes) {
  Training whole = make();
  Listener quiet;
  ASSERT_TRUE(run(whole, settings("a"), quiet));
  Training first = make();
  Listener stopping;
  stopping.stop_at = 13;
  const auto stopped = run(first, settings("b"), stopping);
  ASSERT_TRUE(stopped.has_value()) << stopped.error().message;
  EXPECT_FALSE(stopped->finished);
  EXPECT_EQ(stopped->steps, 13u);
  const auto opened =
      checkpoints_of(directory_ / "b").open_newest(settings("b").binding, settings("b").noted);
  ASSERT_TRUE(opened.has_value()) << opened.error().message;
  EXPECT_EQ(opened->file.head().step, 13u);
  Training second = make();
  ASSERT_TRUE(second.restore(opened->file));
  Listener resumed;
  ASSERT_TRUE(run(second, settings("b"), resumed));
  EXPECT_EQ(text("a/losses.csv"), text("b/losses.csv"));
  EXPECT_EQ(text("a/held_out.csv"), text("b/held_out.csv"));
  EXPECT_TRUE(std::ranges::equal(whole.theta().value(), second.theta().value()));
}

TEST_F(TrainRunTest, MeasuresWhatItWasStoppedBefore) {
  Training whole = make();
  Listener quiet;
  ASSERT_TRUE(run(whole, settings("a"), quiet));
  Training first = make();
  Listener stopping;
  stopping.stop_at = 20;  // a step to measure after
  ASSERT_TRUE(run(first, settings("b"), stopping));
  EXPECT_EQ(stopping.measured, std::vector<std::uint64_t>{10});
  Training second = make();
  ASSERT_TRUE(second.restore(
      checkpoints_of(directory_ / "b").open_newest(settings("b").binding, {})->file));
  Listener resumed;
  ASSERT_TRUE(run(second, settings("b"), resumed));
  EXPECT_EQ(text("a/held_out.csv"), text("b/held_out.csv"));
}

TEST_F(TrainRunTest, ReplacesADamagedCheckpointOfTheLastStep) {
  Training training = make();
  Listener listener;
  ASSERT_TRUE(run(training, settings("a"), listener));
  const auto last = checkpoints_of(directory_ / "a").path_of(30);
  ASSERT_TRUE(replace_file(last, Bytes{1, 2, 3}));
  Training again = make();
  ASSERT_TRUE(
      again.restore(checkpoints_of(directory_ / "a").open_newest(settings("a").binding, {})->file));
  ASSERT_LT(again.steps_done(), 30u);
  Listener resumed;
  ASSERT_TRUE(run(again, settings("a"), resumed));
  EXPECT_TRUE(CheckpointFile::open(last));
}

TEST_F(TrainRunTest, AFinishedRunHasNothingLeftToDo) {
  Training training = make();
  Listener listener;
  ASSERT_TRUE(run(training, settings("a"), listener));
  const std::string before = text("a/losses.csv") + text("a/held_out.csv");
  Listener again;
  const auto outcome = run(training, settings("a"), again);
  ASSERT_TRUE(outcome.has_value()) << outcome.error().message;
  EXPECT_TRUE(again.steps.empty());
  EXPECT_EQ(text("a/losses.csv") + text("a/held_out.csv"), before);
}

TEST_F(TrainRunTest, TellsOfRowsThatAreLost) {
  Training training = make();
  Listener listener;
  ASSERT_TRUE(run(training, settings("a"), listener));
  EXPECT_EQ(listener.notes.find("lost"), std::string::npos);
  ASSERT_TRUE(replace_file(directory_ / "a/losses.csv",
                           bytes_of(rows_up_to(text("a/losses.csv"), 12) + "13,2")));
  Listener again;
  ASSERT_TRUE(run(training, settings("a"), again));
  EXPECT_NE(again.notes.find("losses.csv ends at step 12, the checkpoint is of step 30"),
            std::string::npos)
      << again.notes;
}

TEST_F(TrainRunTest, TellsOfSkippedSteps) {
  llama_->spoil = [](std::uint64_t pass, double loss, std::span<float>) {
    return pass == 5 ? std::nan("") : loss;
  };
  Training training = make();
  Listener listener;
  const auto outcome = run(training, settings("a"), listener);
  ASSERT_TRUE(outcome.has_value()) << outcome.error().message;
  EXPECT_EQ(outcome->skipped, 1u);
  EXPECT_NE(listener.notes.find("step 5 was skipped: loss nan"), std::string::npos);
}

TEST_F(TrainRunTest, GoesOnWhenACheckpointCannotBeWrittenButFailsAtTheEnd) {
  const auto with = settings("a");
  ASSERT_TRUE(replace_file(directory_ / "a/checkpoints", Bytes{1}));  // no folder
  Training training = make();
  Listener listener;
  EXPECT_FALSE(run(training, with, listener));
  EXPECT_EQ(listener.steps.size(), 30u);
  EXPECT_NE(listener.notes.find("could not be written"), std::string::npos);
}

TEST_F(TrainRunTest, CountsTheTimeThatCheckpointsTake) {
  Training training = make();
  Listener listener;
  const auto outcome = run(training, settings("a"), listener).value();
  EXPECT_GT(outcome.speed.checkpoint_wait_s, 0);
  EXPECT_LT(outcome.speed.checkpoint_wait_s, outcome.speed.seconds);
  EXPECT_GT(outcome.checkpoints, 0u);
}

TEST_F(TrainRunTest, SharesAreOfTheMeasuredPeak) {
  Training training = make();
  Listener listener;
  auto with = settings("a");
  with.peak_flops = 1e6;
  const auto outcome = run(training, with, listener).value();
  EXPECT_NEAR(outcome.speed.share_of_peak,
              outcome.speed.tokens_per_second * model::flops_per_token(kFakeModel) / 1e6, 1e-9);
}

}  // namespace
}  // namespace muster::trainer
