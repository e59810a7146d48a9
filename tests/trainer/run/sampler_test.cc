#include "trainer/run/sampler.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <map>

namespace muster::trainer {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

std::vector<std::uint32_t> tokens_of(const std::vector<float>& logits,
                                     const SamplerConfig& config) {
  std::vector<std::uint32_t> tokens;
  for (const Candidate& candidate : candidates(logits, config).value())
    tokens.push_back(candidate.token);
  return tokens;
}

// Σ (observed − expected)² / expected over 60000 draws.
double chi_square(const std::vector<float>& logits, const SamplerConfig& config,
                  const std::map<std::uint32_t, double>& expected) {
  constexpr int kDraws = 60'000;
  Prng random(1);
  std::map<std::uint32_t, int> counts;
  for (int draw = 0; draw < kDraws; ++draw) ++counts[sample(logits, config, random).value()];
  double sum = 0;
  for (const auto& [token, probability] : expected) {
    const double mean = probability * kDraws;
    sum += std::pow(counts[token] - mean, 2) / mean;
    counts.erase(token);
  }
  EXPECT_TRUE(counts.empty()) << "token " << counts.begin()->first << " must not come";
  return sum;
}

const std::vector<float> kLogits{std::log(4.0f), std::log(2.0f), std::log(1.0f), std::log(3.0f)};

// 11.34, 9.21: the 99th percentiles at three and two degrees of freedom.
TEST(Sampler, DrawsFromTheSoftmax) {
  EXPECT_LT(chi_square(kLogits, {.temperature = 1}, {{0, 0.4}, {1, 0.2}, {2, 0.1}, {3, 0.3}}),
            11.34);
}

TEST(Sampler, TemperatureSharpens) {
  EXPECT_LT(chi_square(kLogits, {.temperature = 0.5},
                       {{0, 16 / 30.0}, {1, 4 / 30.0}, {2, 1 / 30.0}, {3, 9 / 30.0}}),
            11.34);
}

TEST(Sampler, TopKLeavesTheLikeliest) {
  EXPECT_LT(chi_square(kLogits, {.temperature = 1, .top_k = 3},
                       {{0, 4 / 9.0}, {1, 2 / 9.0}, {3, 3 / 9.0}}),
            9.21);
}

TEST(Sampler, TopPLeavesTheFewestThatReachIt) {
  EXPECT_EQ(tokens_of(kLogits, {.temperature = 1, .top_p = 0.69}),
            (std::vector<std::uint32_t>{0, 3}));
  EXPECT_EQ(tokens_of(kLogits, {.temperature = 1, .top_p = 0.71}),
            (std::vector<std::uint32_t>{0, 3, 1}));
  EXPECT_LT(chi_square(kLogits, {.temperature = 1, .top_p = 0.71},
                       {{0, 4 / 9.0}, {1, 2 / 9.0}, {3, 3 / 9.0}}),
            9.21);
}

TEST(Sampler, TopPCountsWhatTopKLeft) {
  // Of {4, 3, 2} the first two have 7/9.
  EXPECT_EQ(tokens_of(kLogits, {.temperature = 1, .top_p = 0.75, .top_k = 3}),
            (std::vector<std::uint32_t>{0, 3}));
}

TEST(Sampler, IsGreedyAtTemperatureZeroAndAtTopPZero) {
  Prng random(1);
  for (const SamplerConfig config :
       {SamplerConfig{.temperature = 0}, SamplerConfig{.temperature = 5, .top_p = 0},
        SamplerConfig{.temperature = 5, .top_p = 1e-300},
        SamplerConfig{.temperature = 5, .top_k = 1}})
    for (int draw = 0; draw < 100; ++draw) EXPECT_EQ(sample(kLogits, config, random).value(), 0u);
}

TEST(Sampler, TopPOfOneLeavesAllHoweverUnlikely) {
  EXPECT_EQ(tokens_of({0, -80, -700}, {.temperature = 1, .top_p = 1}),
            (std::vector<std::uint32_t>{0, 1, 2}));
}

TEST(Sampler, TiesGoToTheLowerToken) {
  const std::vector<float> level(6, 1.5f);
  EXPECT_EQ(tokens_of(level, {.temperature = 0}), std::vector<std::uint32_t>{0});
  EXPECT_EQ(tokens_of(level, {.temperature = 1, .top_k = 2}), (std::vector<std::uint32_t>{0, 1}));
  EXPECT_EQ(tokens_of(level, {.temperature = 1, .top_p = 0.4}),
            (std::vector<std::uint32_t>{0, 1, 2}));
  EXPECT_EQ(tokens_of(level, {.temperature = 1, .top_k = 99}).size(), 6u)
      << "more than there are: all";
}

TEST(Sampler, NeverDrawsWhatTheModelRulesOut) {
  EXPECT_LT(chi_square({-kInfinity, 0, -kInfinity, 0}, {.temperature = 1}, {{1, 0.5}, {3, 0.5}}),
            6.63);
}

TEST(Sampler, ProbabilitiesSumToOne) {
  for (const SamplerConfig config :
       {SamplerConfig{}, SamplerConfig{.top_k = 2}, SamplerConfig{.top_p = 0.5}}) {
    double sum = 0;
    for (const Candidate& candidate : candidates(kLogits, config).value())
      sum += candidate.probability;
    EXPECT_NEAR(sum, 1, 1e-12);
  }
}

TEST(Sampler, RefusesLogitsOfABrokenModel) {
  Prng random(1);
  for (const float bad : {std::nanf(""), kInfinity}) {
    const std::vector<float> logits{1, bad, 0};
    EXPECT_EQ(sample(logits, {}, random).error().code, Errc::kNonFinite);
  }
  EXPECT_FALSE(sample(std::vector<float>(3, -kInfinity), {}, random));
  EXPECT_FALSE(sample({}, {}, random));
}

TEST(Sampler, RepeatsForASeed) {
  Prng a(5), b(5), other(6);
  std::vector<std::uint32_t> of_a, of_b, of_other;
  for (int draw = 0; draw < 50; ++draw) {
    of_a.push_back(sample(kLogits, {.temperature = 1}, a).value());
    of_b.push_back(sample(kLogits, {.temperature = 1}, b).value());
    of_other.push_back(sample(kLogits, {.temperature = 1}, other).value());
  }
  EXPECT_EQ(of_a, of_b);
  EXPECT_NE(of_a, of_other);
}

}  // namespace
}  // namespace muster::trainer
