#include "trainer/run/guarded_step.h"

#include <cmath>

#include "trainer/optim/gradient_norm.h"

namespace muster::trainer {

GuardedStep guarded_step(LossGuard& guard, Optimizer& optimizer, Team& team, std::span<float> theta,
                         std::span<const float> gradient, double loss, double learning_rate,
                         double clip) {
  GuardedStep step{.gradient_norm = std::sqrt(sum_squares(gradient, team))};
  step.verdict = guard.judge(loss, step.gradient_norm);
  if (step.verdict == Verdict::kApply)
    optimizer.step(theta, gradient, learning_rate,
                   static_cast<float>(clip_factor(step.gradient_norm, clip)));
  return step;
}

}  // namespace muster::trainer
