#include "trainer/stepper.h"

#include <algorithm>
#include <cmath>

#include "trainer/optim/gradient_norm.h"

namespace muster::trainer {

Result<Stepper> Stepper::make(const TrainerConfig& config) {
  auto team = std::make_unique<Team>(config.threads);
  MUSTER_TRY(auto llama, Llama::make(config.model, config.compute, *team));
  const auto layout = state::layout_of(config.model);
  auto optimizer = make_optimizer(config.optimizer, layout, *team);
  return Stepper(std::move(team), std::move(llama), std::move(optimizer), layout.parameters(), config.gradient_clip);
}

Stepper::Outcome Stepper::step(std::span<float> theta, std::span<const std::int32_t> tokens, double learning_rate) {
  std::ranges::fill(gradient_, 0.0f);
  Outcome outcome;
  outcome.loss = llama_->add_gradient(theta, tokens, 1, gradient_);
  outcome.gradient_norm = std::sqrt(sum_squares(gradient_, *team_));
  outcome.applied = std::isfinite(outcome.loss) && std::isfinite(outcome.gradient_norm);
  if (outcome.applied)
    optimizer_->step(theta, gradient_, learning_rate, static_cast<float>(clip_factor(outcome.gradient_norm, clip_)));
  return outcome;
}

}  // namespace muster::trainer
