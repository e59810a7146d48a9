#include "tests/trainer/trainer_fixture.h"

namespace muster::trainer {
namespace {

class GenerateTest : public TrainerTest {
 protected:
  std::vector<std::int64_t> run(std::uint64_t seed, double temperature) {
    GenerateOptions options{20, temperature, seed};
    std::vector<std::int64_t> tokens;
    const std::vector<std::int64_t> prompt{'a', 'l'};
    EXPECT_TRUE(trainer_->generate(config_, theta_, prompt, options,
                                   [&](std::int64_t token) { tokens.push_back(token); }));
    return tokens;
  }
};

TEST_F(GenerateTest, RepeatsForASeedAndDiffersForAnother) {
  EXPECT_EQ(run(1, 1.0), run(1, 1.0));
  EXPECT_NE(run(1, 1.0), run(2, 1.0));
  EXPECT_EQ(run(1, 0), run(2, 0)) << "greedy needs no seed";
}

TEST_F(GenerateTest, GoesOnPastTheContextWithTokensOfTheVocabulary) {
  const auto tokens = run(1, 1.0);
  EXPECT_EQ(tokens.size(), 20u);
  for (std::int64_t token : tokens) EXPECT_LT(token, 256);
}

TEST_F(GenerateTest, RefusesAnEmptyPrompt) {
  EXPECT_FALSE(trainer_->generate(config_, theta_, {}, {}, [](std::int64_t) {}));
}

TEST(LoadTrainer, SaysHowToGetAMissingTrainer) {
  const auto result = load_trainer("/nonexistent");
  ASSERT_FALSE(result.has_value());
  EXPECT_NE(result.error().message.find("fetch_libtorch.sh"), std::string::npos);
}

}  // namespace
}  // namespace muster::trainer
