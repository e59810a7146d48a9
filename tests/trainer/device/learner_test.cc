#include "tests/trainer/device/device_fixture.h"
#include "trainer/run/training.h"

namespace muster::trainer {
namespace {

class LearnerOn : public DeviceTest {
 protected:
  TrainingConfig training_{.model = config_.model,
                           .schedule = {.peak = 0.01, .warmup_steps = 2, .total_steps = 40},
                           .batch = 2,
                           .accumulate = 2};
  DataSet data_ = data(config_.train_data);

  Training make_on(std::shared_ptr<model::Device> device) {
    return Training(training_,
                    Learner::make(std::move(device),
                                  {.spec = training_.model,
                                   .sequences = training_.batch,
                                   .compute = Compute::kFloat32,
                                   .optimizer = training_.optimizer},
                                  theta_)
                        .value(),
                    data_);
  }
  Training make() { return make_on(device()); }
  Training make_on_cpu() {
    return make_on(std::make_shared<CpuDevice>(ComputeOptions{}, config_.threads));
  }
};

TEST_P(LearnerOn, TakesTheStepsOfTheCpu) {
  Training on_device = make(), on_cpu = make_on_cpu();
  for (int i = 0; i < 10; ++i) {
    const StepReport report = on_device.step().value(), expected = on_cpu.step().value();
    EXPECT_NEAR(report.loss, expected.loss, 1e-3) << "step " << i;
    EXPECT_NEAR(report.gradient_norm, expected.gradient_norm, 1e-2 * expected.gradient_norm);
    EXPECT_EQ(report.verdict, Verdict::kApply);
  }
  EXPECT_DOUBLE_EQ(on_device.learner().flops_per_token(), on_cpu.learner().flops_per_token());
}

TEST_P(LearnerOn, GoesOnFromACheckpointAsIfNothingHadHappened) {
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

TEST_P(LearnerOn, GoesOnFromACpusCheckpoint) {
  Training on_cpu = make_on_cpu(), on_device = make();
  for (int i = 0; i < 3; ++i) on_cpu.step().value();
  CheckpointHead head = on_cpu.head();
  ASSERT_TRUE(write_checkpoint(directory_ / "c", head, on_cpu.arrays().value()));
  ASSERT_TRUE(on_device.restore(CheckpointFile::open(directory_ / "c").value()));
  EXPECT_NEAR(on_device.step().value().loss, on_cpu.step().value().loss, 1e-3);
}

TEST_P(LearnerOn, SkipsAStepThatIsNotFiniteAndCountsItNot) {
  theta_[5] = std::numeric_limits<float>::infinity();
  Training training = make();
  EXPECT_EQ(training.step().value().verdict, Verdict::kNonFinite);
  EXPECT_EQ(training.head().optimizer_steps, 0u);
  EXPECT_EQ(training.skipped(), 1u);
}

INSTANTIATE_TEST_SUITE_P(On, LearnerOn, test_devices(), device_name);

}  // namespace
}  // namespace muster::trainer
