#include "bench/convergence/method.h"

namespace muster::bench {

std::vector<Method> standard_methods(const std::vector<std::uint32_t>& inner_steps) {
  constexpr auto kMuon = trainer::OptimizerKind::kMuon;
  constexpr double kMuonRate =
      1.2e-2;  // the best of 4, 8 and 12e-3; AdamW's of 5, 8 and 12e-3 is the default
  std::vector<Method> methods{
      {.name = "data-parallel", .exchange = Exchange::kGradients, .inner_steps = 1},
      {.name = "data-parallel, Muon",
       .exchange = Exchange::kGradients,
       .inner_steps = 1,
       .learning_rate = kMuonRate,
       .optimizer = kMuon}};
  for (const std::uint32_t steps : inner_steps) {
    const std::string suffix = " H" + std::to_string(steps);
    methods.push_back(
        {.name = "dense DiLoCo" + suffix, .exchange = Exchange::kDense, .inner_steps = steps});
    // hparams.json of github.com/one-covenant/templar: top 64, momentum_decay 0.95,
    // outer_learning_rate 0.4.
    methods.push_back({.name = "Templar" + suffix,
                       .exchange = Exchange::kTemplar,
                       .inner_steps = steps,
                       .outer_rate = 0.4f,
                       .feedback_decay = 0.95f});
    methods.push_back({.name = "Templar, outer rate 1" + suffix,
                       .exchange = Exchange::kTemplar,
                       .inner_steps = steps,
                       .feedback_decay = 0.95f});
    methods.push_back({.name = "ours, AdamW" + suffix, .inner_steps = steps});
    methods.push_back({.name = "ours" + suffix,
                       .inner_steps = steps,
                       .learning_rate = kMuonRate,
                       .optimizer = kMuon});
  }
  return methods;
}

}  // namespace muster::bench
