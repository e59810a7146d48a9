#include "trainer/stepper.h"

#include <algorithm>

namespace muster::trainer {

Result<Stepper> Stepper::make(const TrainerConfig& config) {
  auto team = std::make_unique<Team>(config.threads);
  MUSTER_TRY(auto llama, Llama::make(config.model, config.compute, *team));
  const auto layout = state::layout_of(config.model);
  auto optimizer = make_optimizer(config.optimizer, layout, *team);
  return Stepper(std::move(team), std::move(llama), std::move(optimizer), layout.parameters(),
                 config.gradient_clip);
}

Stepper::Outcome Stepper::step(std::span<float> theta, std::span<const std::int32_t> tokens,
                               double learning_rate, LossGuard& guard) {
  std::ranges::fill(gradient_, 0.0f);
  const double loss = llama_->add_gradient(theta, tokens, 1, gradient_);
  return {loss,
          guarded_step(guard, *optimizer_, *team_, theta, gradient_, loss, learning_rate, clip_)};
}

}  // namespace muster::trainer
