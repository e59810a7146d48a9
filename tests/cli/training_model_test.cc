#include "cli/training_model.h"

#include <gtest/gtest.h>

#include "base/file.h"
#include "tests/temporary_directory.h"
#include "trainer/run/train_run.h"
#include "trainer/run/training_config.h"

namespace muster::cli {
namespace {

class TrainingModelTest : public ::testing::Test {
 protected:
  TrainingModelTest() {
    config_.model = {.d_model = 16,
                     .layers = 1,
                     .heads = 2,
                     .kv_heads = 1,
                     .d_ff = 24,
                     .context = 32,
                     .vocab = 40,
                     .tied = false,
                     .rope_theta = 5e5f,
                     .norm_epsilon = 3e-6f};
    theta_.resize(state::layout_of(config_.model).parameters());
  }
  void write_checkpoint(std::uint64_t step) {
    std::fill(theta_.begin(), theta_.end(), static_cast<float>(step));
    trainer::CheckpointHead head;
    head.binding = trainer::binding_settings(config_, {});
    head.step = step;
    MUSTER_CHECK(checkpoints_.write(head, std::vector<trainer::NamedState>{{"theta", theta_}}, 9)
                     .has_value(),
                 "");
  }
  void damage(std::uint64_t step) {
    Bytes content = read_file(checkpoints_.path_of(step), 1u << 24).value();
    content[content.size() / 2] ^= 1;
    MUSTER_CHECK(replace_file(checkpoints_.path_of(step), content).has_value(), "");
  }
  muster::testing::TemporaryDirectory directory_;
  trainer::CheckpointFolder checkpoints_ = trainer::checkpoints_of(directory_.path());
  trainer::TrainingConfig config_;
  std::vector<float> theta_;
};

TEST_F(TrainingModelTest, ReadsModelAndWeightsOfTheNewestCheckpoint) {
  std::filesystem::create_directories(directory_ / "checkpoints");
  write_checkpoint(3);
  write_checkpoint(12);
  const auto training = read_training_model(directory_.path());
  ASSERT_TRUE(training) << training.error().message;
  EXPECT_EQ(training->step, 12u);
  EXPECT_EQ(training->model, config_.model);
  EXPECT_EQ(training->theta, theta_);
}

TEST_F(TrainingModelTest, ReadsRopeScaling) {
  std::filesystem::create_directories(directory_ / "checkpoints");
  config_.model.rope_scaling = state::RopeScaling{8, 1, 4, 16};
  write_checkpoint(1);
  EXPECT_EQ(read_training_model(directory_.path()).value().model, config_.model);
}

TEST_F(TrainingModelTest, PassesOverADamagedCheckpoint) {
  std::filesystem::create_directories(directory_ / "checkpoints");
  write_checkpoint(3);
  write_checkpoint(12);
  damage(12);
  EXPECT_EQ(read_training_model(directory_.path()).value().step, 3u);
  damage(3);
  EXPECT_EQ(read_training_model(directory_.path()).error().code, Errc::kBadHash);
}

TEST_F(TrainingModelTest, SaysWhenThereIsNoTraining) {
  EXPECT_EQ(read_training_model(directory_.path()).error().code, Errc::kNotFound);
}

}  // namespace
}  // namespace muster::cli
