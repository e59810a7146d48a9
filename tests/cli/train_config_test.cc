#include "cli/train_config.h"

#include <gtest/gtest.h>

#include "base/file.h"
#include "cli/run_config.h"
#include "cli/train_progress.h"
#include "tests/temporary_directory.h"

namespace muster::cli {
namespace {

const std::filesystem::path kExamples = std::filesystem::path(MUSTER_SOURCE_DIR) / "examples";
constexpr const char* kLeast = "[data]\ntrain = \"a.bin\"\n[train]\nsteps = 100\n";

class TrainConfigTest : public ::testing::Test {
 protected:
  muster::testing::TemporaryDirectory directory_;
  Result<TrainConfig> read(const std::string& text,
                           const std::vector<std::string>& overrides = {}) {
    EXPECT_TRUE(replace_file(directory_ / "train.toml", bytes_of(text)));
    return read_train_config(directory_ / "train.toml", overrides);
  }
  // Of the least configuration with one override.
  std::string refusal(const std::string& override) {
    const auto result = read(kLeast, {override});
    return result ? "none" : result.error().message;
  }
};

TEST_F(TrainConfigTest, ReadsTheExample) {
  const auto config = read_train_config(kExamples / "train.toml", {});
  ASSERT_TRUE(config.has_value()) << config.error().message;
  EXPECT_EQ(config->training.steps(), 600u);
  EXPECT_EQ(config->training.batch, 8u);
}

TEST_F(TrainConfigTest, TheExampleSaysTheDefaults) {
  const auto example = read_train_config(kExamples / "train.toml", {"train.batch=4"}).value();
  const auto least = read(kLeast, {"train.steps=600"}).value();
  const auto noted = [](const TrainConfig& config) {
    return trainer::noted_settings(config.training, "");
  };
  const auto bound = [](const TrainConfig& config) {
    return trainer::binding_settings(config.training, Hash{});
  };
  const auto difference = trainer::first_difference(noted(example), noted(least));
  EXPECT_FALSE(difference) << difference->name;
  const auto other = trainer::first_difference(bound(example), bound(least));
  EXPECT_FALSE(other) << other->name;
}

TEST_F(TrainConfigTest, MeansTheSameModelAsANetworksRun) {
  const auto run =
      read_run_config(kExamples / "quickstart.toml", {"model.kv_heads=2", "model.rope_factor=2.0"})
          .value();
  const auto alone =
      read_train_config(kExamples / "train.toml", {"model.kv_heads=2", "model.rope_factor=2.0"})
          .value();
  EXPECT_EQ(run.params.model, alone.training.model);
}

TEST_F(TrainConfigTest, CountsStepsByTokens) {
  const auto config =
      read("[data]\ntrain = \"a.bin\"\n[train]\ntokens = 1_000_000\nbatch = 8\naccumulate = 2\n");
  ASSERT_TRUE(config.has_value()) << config.error().message;
  EXPECT_EQ(config->training.steps(), 489u) << "1000000 / 2048, rounded up";
}

TEST_F(TrainConfigTest, TakesPathsFromTheFilesFolder) {
  const auto config = read(kLeast, {"data.held_out=\"b.bin\""}).value();
  EXPECT_EQ(config.train, directory_ / "a.bin");
  EXPECT_EQ(config.held_out, directory_ / "b.bin");
}

TEST_F(TrainConfigTest, APackedFolderHasItsOwnHeldOutPart) {
  std::filesystem::create_directories(directory_ / "packed");
  EXPECT_EQ(read(kLeast, {"data.train=\"packed\""})->held_out, directory_ / "packed");
  EXPECT_TRUE(read(kLeast)->held_out.empty());
  const auto packed = read("[data]\npacked = \"p\"\n[train]\nsteps = 90\n").value();
  EXPECT_EQ(packed.train, directory_ / "p");
  EXPECT_EQ(packed.held_out, directory_ / "p");
}

TEST_F(TrainConfigTest, RefusesWhatCannotWorkNamingTheFieldAndTheMend) {
  const std::pair<const char*, const char*> cases[] = {
      {"model.heads=3", "model.kv_heads"},
      {"model.d_model=100", "model.heads must divide model.d_model"},
      {"train.warmup_steps=101", "warm up for fewer"},
      {"train.tokens=5", "'train.tokens' must be left out where train.steps is given"},
      {"train.steps=0", "give train.steps or train.tokens"},
      {"train.optimizer=sgd", "'train.optimizer' must be adamw or muon"},
      {"train.schedule=step", "'train.schedule' must be cosine or wsd or constant"},
      {"train.compute=fp8", "'train.compute' must be auto, bf16 or fp32"},
      {"train.keep=0", "'train.keep' must be at least 1"},
      {"train.held_out_sequences=0", "'train.held_out_sequences' must be at least 1"},
      {"train.threads=5000", "'train.threads' must be from 0"},
      {"train.inner_steps=3", "'train.inner_steps' is no known field"},
      {"data.corpus=\"x\"", "'data.train' must be a token file or a packed folder"},
      {"data.packed=\"x\"", "'data.train' must be a token file"},
      {"run.rounds=3", "'run' is no known section"}};
  for (const auto& [override, expected] : cases)
    EXPECT_NE(refusal(override).find(expected), std::string::npos)
        << override << ": " << refusal(override);
  EXPECT_NE(read("[data]\ncorpus = \"x\"\n[model]\ncontext = 70000\n[train]\nsteps = 90\n")
                .error()
                .message.find("shorten the context"),
            std::string::npos);
  EXPECT_NE(read("[train]\nsteps = 5\n").error().message.find("data.train"), std::string::npos);
}

TEST(TrainProgress, SaysWhereATrainingIs) {
  EXPECT_EQ(progress_line({.step = 120, .tokens = 9, .loss = 2.34512}, 600,
                          {.seconds = 9, .tokens_per_second = 45'060, .share_of_peak = 0.781}, 72),
            "step 120/600  loss 2.3451  45.1 k tokens/s, 78 % of peak  1.2 min left");
  EXPECT_EQ(progress_line({.step = 1, .tokens = 9, .loss = 5}, 6,
                          {.seconds = 9, .tokens_per_second = 500}, 30),
            "step 1/6  loss 5.0000  0.5 k tokens/s  30 s left");
  EXPECT_EQ(progress_line({.step = 6, .tokens = 9, .loss = 5}, 6,
                          {.seconds = 9, .tokens_per_second = 500}, 0),
            "step 6/6  loss 5.0000  0.5 k tokens/s");
}

TEST(TrainProgress, PrintsWholeLinesNowAndThenWhereThereIsNoTerminal) {
  char* text = nullptr;
  std::size_t size = 0;
  std::FILE* out = ::open_memstream(&text, &size);
  {
    TrainProgress progress(out, false, 100);
    for (std::uint64_t step = 1; step <= 100; ++step)
      progress.on_step({.step = step, .tokens = step, .loss = 1},
                       {.seconds = static_cast<double>(step) * 0.25}, 1);
    progress.on_held_out(100, 1.5);
  }
  std::fclose(out);
  const std::string printed(text, size);
  std::free(text);
  EXPECT_EQ(std::count(printed.begin(), printed.end(), '\n'), 5)
      << printed;  // 1, 41, 81, the last, the held-out loss
  EXPECT_EQ(printed.find('\r'), std::string::npos);
  EXPECT_NE(printed.find("step 100: held-out loss 1.5000"), std::string::npos);
}

}  // namespace
}  // namespace muster::cli
