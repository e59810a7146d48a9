#include "bench/convergence/method.h"

namespace muster::bench {

std::vector<Method> standard_methods(const std::vector<std::uint32_t>& inner_steps) {
  std::vector<Method> methods{{.name = "data-parallel", .exchange = Exchange::kGradients, .inner_steps = 1}};
  for (const std::uint32_t steps : inner_steps) {
    const std::string suffix = " H" + std::to_string(steps);
    methods.push_back({.name = "dense DiLoCo" + suffix, .exchange = Exchange::kDense, .inner_steps = steps});
    // hparams.json of github.com/one-covenant/templar: top 64, momentum_decay 0.95, outer_learning_rate 0.4.
    methods.push_back({.name = "Templar" + suffix, .exchange = Exchange::kTemplar, .inner_steps = steps,
                       .outer_rate = 0.4f, .feedback_decay = 0.95f});
    methods.push_back({.name = "Templar, outer rate 1" + suffix, .exchange = Exchange::kTemplar,
                       .inner_steps = steps, .feedback_decay = 0.95f});
    methods.push_back({.name = "ours" + suffix, .inner_steps = steps});
  }
  return methods;
}

}  // namespace muster::bench
