#include "trainer/optim/optimizer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>

#include "base/prng.h"
#include "state/model_spec.h"
#include "trainer/optim/adamw.h"
#include "trainer/optim/muon.h"

namespace muster::trainer {
namespace {

// Five steps of torch's optimizers; oracles/optim/make_steps.py.
class TorchSteps : public ::testing::Test {
 protected:
  TorchSteps() {
    std::ifstream file(std::filesystem::path(MUSTER_SOURCE_DIR) /
                       "tests/trainer/oracles/optim/steps.json");
    oracle_ = nlohmann::json::parse(file);
    std::vector<compression::Layout::NamedShape> shapes;
    for (const auto& tensor : oracle_["tensors"])
      shapes.push_back({tensor["name"], tensor["shape"].get<std::vector<std::uint64_t>>()});
    layout_ = compression::Layout::make(shapes).value();
  }
  std::vector<float> flat(const nlohmann::json& tensors) const {
    std::vector<float> all;
    for (const auto& tensor : layout_.tensors())
      for (const auto& value : tensors[tensor.name]) all.push_back(value.get<float>());
    return all;
  }
  void expect_steps(const OptimizerConfig& config, const char* expected, float tolerance) const {
    Team team(1);
    const auto optimizer = make_optimizer(config, layout_, team);
    auto theta = flat(oracle_["start"]);
    for (const auto& gradient : oracle_["gradients"])
      optimizer->step(theta, flat(gradient), 0.02, 1.0f);
    const auto want = flat(oracle_[expected]);
    for (std::size_t i = 0; i < want.size(); ++i) EXPECT_NEAR(theta[i], want[i], tolerance) << i;
    EXPECT_EQ(optimizer->steps(), 5u);
  }
  nlohmann::json oracle_;
  compression::Layout layout_;
};

TEST_F(TorchSteps, AdamWIsTorchsWithDecayOnAll) { expect_steps({}, "adamw_all", 1e-6f); }

TEST_F(TorchSteps, AdamWIsTorchsWithDecayOnMatricesOnly) {
  expect_steps({.decay_vectors = false}, "adamw_matrices", 1e-6f);
}

TEST_F(TorchSteps, MuonIsTorchs) { expect_steps({.kind = OptimizerKind::kMuon}, "muon", 2e-6f); }

class EveryOptimizer : public ::testing::TestWithParam<OptimizerKind> {
 protected:
  Team team_{1};
  const compression::Layout layout_ = state::layout_of({.d_model = 64,
                                                        .layers = 2,
                                                        .heads = 4,
                                                        .kv_heads = 2,
                                                        .d_ff = 96,
                                                        .context = 8,
                                                        .vocab = 1200});
  std::vector<float> noise(std::uint64_t seed) const {
    Prng random(seed);
    std::vector<float> values(layout_.parameters());
    for (float& value : values) value = static_cast<float>(random.uniform() - 0.5);
    return values;
  }
  std::vector<float> after(Optimizer& optimizer, std::vector<float> theta, std::uint64_t first,
                           std::uint64_t last) const {
    for (std::uint64_t step = first; step < last; ++step)
      optimizer.step(theta, noise(step), 1e-2, 0.5f);
    return theta;
  }
};

TEST_P(EveryOptimizer, GivesEqualBitsForAnyNumberOfThreads) {
  const auto one = make_optimizer({.kind = GetParam()}, layout_, team_);
  const auto expected = after(*one, noise(100), 0, 3);
  for (const unsigned threads : {2u, 3u}) {
    Team team(threads);
    const auto many = make_optimizer({.kind = GetParam()}, layout_, team);
    EXPECT_EQ(after(*many, noise(100), 0, 3), expected) << threads;
  }
}

TEST_P(EveryOptimizer, GoesOnFromItsSavedState) {
  const auto whole = make_optimizer({.kind = GetParam()}, layout_, team_);
  const auto first = make_optimizer({.kind = GetParam()}, layout_, team_);
  const auto second = make_optimizer({.kind = GetParam()}, layout_, team_);
  const auto half = after(*first, noise(100), 0, 3);
  const auto from = first->state();
  auto to = second->state();
  for (std::size_t i = 0; i < from.size(); ++i) {
    EXPECT_EQ(from[i].name, to[i].name);
    std::copy(from[i].values.begin(), from[i].values.end(), to[i].values.begin());
  }
  second->set_steps(first->steps());
  EXPECT_EQ(after(*second, half, 3, 6), after(*whole, noise(100), 0, 6));
}

TEST_P(EveryOptimizer, RemembersAsMuchAsItSays) {
  std::uint64_t floats = 0;
  for (const auto& state : make_optimizer({.kind = GetParam()}, layout_, team_)->state())
    floats += state.values.size();
  EXPECT_EQ(floats, optimizer_floats(GetParam(), layout_));
}

TEST_P(EveryOptimizer, ScalesTheGradientWithoutAnotherPass) {
  const auto by_factor = make_optimizer({.kind = GetParam()}, layout_, team_);
  const auto by_hand = make_optimizer({.kind = GetParam()}, layout_, team_);
  auto theta = noise(1), other = theta, gradient = noise(2);
  by_factor->step(theta, gradient, 1e-2, 0.25f);
  for (float& value : gradient) value *= 0.25f;
  by_hand->step(other, gradient, 1e-2, 1.0f);
  EXPECT_EQ(theta, other);
}

INSTANTIATE_TEST_SUITE_P(Optimizers, EveryOptimizer,
                         ::testing::Values(OptimizerKind::kAdamW, OptimizerKind::kMuon),
                         [](const auto& tested) {
                           return tested.param == OptimizerKind::kAdamW ? "AdamW" : "Muon";
                         });

TEST(AdamW, MergesNeighboursThatDecayAlike) {
  const auto layout = state::layout_of({.layers = 1});
  EXPECT_EQ(pieces_of(layout, true), (std::vector<Piece>{{0, layout.parameters(), true}}));
  const auto pieces = pieces_of(layout, false);
  ASSERT_EQ(pieces.size(), 6u);  // embedding, gain, attention, gain, feed-forward, gain
  EXPECT_EQ(pieces[1], (Piece{256 * 128, 128, false}));
}

TEST(AdamW, LeavesParametersWithoutGradientToDecayAlone) {
  Team team(1);
  AdamW optimizer({.weight_decay = 0.5}, {{0, 1, true}, {1, 1, false}}, team);
  std::vector<float> theta{1, 1};
  optimizer.step(theta, std::vector<float>{0, 0}, 0.1, 1.0f);
  EXPECT_FLOAT_EQ(theta[0], 0.95f);
  EXPECT_FLOAT_EQ(theta[1], 1.0f);
}

TEST(Muon, TakesTheMatricesOfTheLayersOnly) {
  const auto layout = state::layout_of({.layers = 1, .tied = false});
  for (const auto& tensor : layout.tensors())
    EXPECT_EQ(is_hidden_matrix(tensor), tensor.name.find("proj") != std::string::npos)
        << tensor.name;
}

}  // namespace
}  // namespace muster::trainer
