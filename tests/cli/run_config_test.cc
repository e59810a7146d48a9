#include "cli/run_config.h"

#include <gtest/gtest.h>

#include "base/file.h"
#include "tests/temporary_directory.h"

namespace muster::cli {
namespace {

const std::filesystem::path kQuickstart =
    std::filesystem::path(MUSTER_SOURCE_DIR) / "examples/quickstart.toml";

class RunConfigTest : public ::testing::Test {
 protected:
  muster::testing::TemporaryDirectory directory_;
  Result<RunConfig> read(std::string_view text, std::vector<std::string> overrides = {}) {
    EXPECT_TRUE(replace_file(directory_ / "run.toml", bytes_of(text)));
    return read_run_config(directory_ / "run.toml", overrides);
  }
  std::string error(std::string_view text, std::vector<std::string> overrides = {}) {
    const auto result = read(text, std::move(overrides));
    return result ? "no error" : result.error().message;
  }
};

TEST_F(RunConfigTest, ReadsTheQuickstart) {
  const auto config = read_run_config(kQuickstart, {});
  ASSERT_TRUE(config.has_value()) << config.error().message;
  EXPECT_EQ(config->params.rounds, 24u);
  EXPECT_EQ(config->params.compression.schedule.size(), 3u);
  EXPECT_EQ(config->localnet.cheaters, (std::vector<std::string>{"noise", "replay"}));
}

TEST_F(RunConfigTest, OverridesFieldsOfEveryKind) {
  const auto config =
      read("", {"run.rounds=7", "model.tied=false", "train.learning_rate=1e-4", "run.name=mine",
                "localnet.cheaters=[\"noise\"]", "compression.schedule=[[2, 64]]"});
  ASSERT_TRUE(config.has_value()) << config.error().message;
  EXPECT_EQ(config->params.rounds, 7u);
  EXPECT_FALSE(config->params.model.tied);
  EXPECT_FLOAT_EQ(config->params.training.learning_rate, 1e-4f);
  EXPECT_EQ(config->params.name, "mine");
  EXPECT_EQ(config->params.compression.schedule[0].keep, 64u);
}

TEST_F(RunConfigTest, NamesFileAndLineOfWhatIsWrong) {
  EXPECT_NE(
      error("[run]\nrounds = \"many\"\n").find("run.toml:2: 'run.rounds' must be a whole number"),
      std::string::npos);
  EXPECT_NE(error("[run]\n\nround = 3\n").find("run.toml:3: 'run.round' is no known field"),
            std::string::npos);
  EXPECT_NE(error("[runs]\n").find("'runs' is no known section"), std::string::npos);
  EXPECT_NE(error("[run\n").find("run.toml:1"), std::string::npos);
  EXPECT_NE(error("[run]\nrounds = -1\n").find("run.toml:2"), std::string::npos);
  EXPECT_NE(error("[compression]\nschedule = [[1, 5000]]\n").find("keep from 1 to 4096"),
            std::string::npos);
  EXPECT_NE(error("[train]\ncompute = \"fp8\"\n").find("auto, bf16 or fp32"), std::string::npos);
}

TEST_F(RunConfigTest, NamesTheOverrideThatIsWrong) {
  EXPECT_NE(error("", {"rounds=3"}).find("section.key=value"), std::string::npos);
  EXPECT_NE(error("", {"run.rounds=no"}).find("run.rounds"), std::string::npos);
}

TEST_F(RunConfigTest, TakesTheModelOfAHuggingFaceFolder) {
  const std::filesystem::path oracle =
      std::filesystem::path(MUSTER_SOURCE_DIR) / "tests/trainer/oracles/hf_llama/llama3_rope";
  ASSERT_TRUE(replace_file(directory_ / "run.toml", bytes_of("[model]\ncontext = 64\n")));
  const auto config = read_run_config(directory_ / "run.toml", {}, oracle);
  ASSERT_TRUE(config.has_value()) << config.error().message;
  EXPECT_EQ(config->params.model.d_model, 64u);
  EXPECT_EQ(config->params.model.context, 64u);
  ASSERT_TRUE(config->params.model.rope_scaling.has_value());
  EXPECT_EQ(config->params.model.rope_scaling->factor, 8);
  const auto other = read_run_config(directory_ / "run.toml", {"model.layers=5"}, oracle);
  ASSERT_FALSE(other.has_value());
  EXPECT_NE(other.error().message.find("'model.layers' is 5"), std::string::npos)
      << other.error().message;
  EXPECT_EQ(read_run_config(directory_ / "run.toml", {}, directory_.path()).error().code,
            Errc::kNotFound);
}

TEST_F(RunConfigTest, DataIsFoundRelativeToTheFile) {
  EXPECT_EQ(read("[data]\npacked = \"words\"\n").value().packed, directory_ / "words");
  EXPECT_EQ(read("[data]\ncorpus = \"headers\"\n").value().corpus, directory_ / "headers");
}

TEST_F(RunConfigTest, SaysWhenThereIsNoFile) {
  EXPECT_EQ(read_run_config("/nonexistent.toml", {}).error().code, Errc::kNotFound);
}

TEST_F(RunConfigTest, RefusesANetworkInWhichNoRoundOpens) {
  EXPECT_NE(error("", {"localnet.miners=0", "localnet.cheaters=[]"}).find("localnet.miners is 0"),
            std::string::npos);
  EXPECT_NE(error("", {"localnet.miners=1", "localnet.cheaters=[]", "localnet.late=1"})
                .find("start late"),
            std::string::npos);
  EXPECT_EQ(error("", {"localnet.miners=1", "localnet.cheaters=[]"}), "no error");
}

TEST_F(RunConfigTest, RemembersWhatWasWritten) {
  const auto config =
      read("[model]\nlayers = 2\n[compression]\nschedule = [[14, 1024],\n  [5, 512]]\n",
           {"run.name=mine"});
  ASSERT_TRUE(config);
  EXPECT_EQ(config->settings.at("model.layers"), "2");
  EXPECT_EQ(config->settings.at("run.name"), "'mine'");
  EXPECT_EQ(config->settings.at("compression.schedule").find('\n'), std::string::npos);
  EXPECT_FALSE(config->has_ledger);
  EXPECT_TRUE(read("[ledger]\ntempo = 9\n")->has_ledger);
}

TEST(ActivityCutoff, IsEightRoundsWithinThreeTemposAndSubtensorsDefault) {
  protocol::TimingParams timing;
  timing.gather_ms = 10'000, timing.train_ms = 60'000, timing.reveal_ms = 10'000,
  timing.screen_ms = 20'000;
  EXPECT_EQ(activity_cutoff_milli(timing, 12'000, 10), 6'666u)
      << "eight rounds of 100 s in epochs of 120 s";
  EXPECT_EQ(activity_cutoff_milli(timing, 12'000, 360), 3'000u)
      << "weights are set every second epoch";
  EXPECT_EQ(activity_cutoff_milli(timing, 200, 10), 13'889u);
}

TEST_F(RunConfigTest, MakesTheCutoffFromTheRoundsUnlessItIsWritten) {
  const auto cutoff_of = [&](std::string_view text) {
    return read(text)->genesis.subnets.front().parameters.activity_cutoff_factor_milli;
  };
  EXPECT_EQ(cutoff_of("[ledger]\ntempo = 360\nblock_ms = 12000\n"), 3'000u);
  EXPECT_EQ(cutoff_of("[ledger]\nactivity_cutoff_milli = 5000\n"), 5'000u);
}

}  // namespace
}  // namespace muster::cli
