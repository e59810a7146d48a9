// The end of every inner step: the gradient's norm, the guard's verdict, clipping, the optimizer's
// move.
//
// Thread safety: one thread at a time.
#pragma once

#include <span>

#include "base/team.h"
#include "trainer/optim/optimizer.h"
#include "trainer/run/loss_guard.h"

namespace muster::trainer {

struct GuardedStep {
  double gradient_norm = 0;  // before clipping
  Verdict verdict = Verdict::kApply;
};

// θ and the optimizer move if the guard applies the step, else both stay as they were. `clip`:
// largest norm; 0: none.
[[nodiscard]] GuardedStep guarded_step(LossGuard& guard, Optimizer& optimizer, Team& team,
                                       std::span<float> theta, std::span<const float> gradient,
                                       double loss, double learning_rate, double clip);

}  // namespace muster::trainer
