#include "trainer/card/card_learner.h"

#include "tests/trainer/card/card_fixture.h"
#include "trainer/run/training.h"

namespace muster::trainer {
namespace {

class CardLearnerTest : public CardTrainerTest {
 protected:
  TrainingConfig training_{.model = config_.model,
                           .schedule = {.peak = 0.01, .warmup_steps = 2, .total_steps = 40},
                           .batch = 2,
                           .accumulate = 2};
  DataSet data_ = data(config_.train_data);
  Team team_{1};
  std::unique_ptr<Llama> engine_ =
      Llama::make(config_.model, {.compute = Compute::kFloat32}, team_).value();

  Training make() {
    return Training(
        training_,
        make_card_learner(card(), {training_.model, training_.optimizer, Compute::kFloat32, 2},
                          theta_)
            .value(),
        data_);
  }
};

TEST_F(CardLearnerTest, TakesTheStepsOfTheCpu) {
  Training on_card = make(), on_cpu(training_, *engine_, data_, team_, theta_);
  for (int i = 0; i < 10; ++i) {
    const StepReport report = on_card.step().value(), expected = on_cpu.step().value();
    EXPECT_NEAR(report.loss, expected.loss, 1e-3) << "step " << i;
    EXPECT_NEAR(report.gradient_norm, expected.gradient_norm, 1e-2 * expected.gradient_norm);
    EXPECT_EQ(report.verdict, Verdict::kApply);
  }
  EXPECT_DOUBLE_EQ(on_card.learner().flops_per_token(), on_cpu.learner().flops_per_token());
}

TEST_F(CardLearnerTest, GoesOnFromACheckpointAsIfNothingHadHappened) {
  Training whole = make(), first = make(), second = make();
  for (int i = 0; i < 3; ++i) {
    whole.step().value();
    first.step().value();
  }
  CheckpointHead head = first.head();
  ASSERT_TRUE(write_checkpoint(directory_ / "c", head, first.arrays().value()));
  ASSERT_TRUE(second.restore(CheckpointFile::open(directory_ / "c").value()));
  for (int i = 0; i < 3; ++i) {
    whole.step().value();
    second.step().value();
  }
  EXPECT_TRUE(std::ranges::equal(whole.theta().value(), second.theta().value()));
  EXPECT_EQ(second.head().optimizer_steps, 6u);
}

TEST_F(CardLearnerTest, GoesOnFromACpusCheckpoint) {
  Training on_cpu(training_, *engine_, data_, team_, theta_), on_card = make();
  for (int i = 0; i < 3; ++i) on_cpu.step().value();
  CheckpointHead head = on_cpu.head();
  ASSERT_TRUE(write_checkpoint(directory_ / "c", head, on_cpu.arrays().value()));
  ASSERT_TRUE(on_card.restore(CheckpointFile::open(directory_ / "c").value()));
  EXPECT_NEAR(on_card.step().value().loss, on_cpu.step().value().loss, 1e-3);
}

TEST_F(CardLearnerTest, SkipsAStepThatIsNotFiniteAndCountsItNot) {
  theta_[5] = std::numeric_limits<float>::infinity();
  Training training = make();
  EXPECT_EQ(training.step().value().verdict, Verdict::kNonFinite);
  EXPECT_EQ(training.head().optimizer_steps, 0u);
  EXPECT_EQ(training.skipped(), 1u);
}

}  // namespace
}  // namespace muster::trainer
