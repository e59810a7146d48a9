// The norm of a gradient and what is made of it: one number for clipping and for the guards.
//
// NaN and infinity come through. Thread safety: pure functions. Determinism: equal bits for any
// number of threads on one instruction set; chunks of 65536 are summed apart and then in order.
#pragma once

#include <span>

#include "base/team.h"

namespace muster::trainer {

// Σ x². Infinite, too, where a sum of squares leaves fp32's range.
[[nodiscard]] double sum_squares(std::span<const float> values, Team& team);

// What a gradient of this norm is multiplied by: min(1, clip / (norm + 1e-6)), as
// torch.nn.utils.clip_grad_norm_ has it; 1 when `clip` is 0.
[[nodiscard]] double clip_factor(double norm, double clip);

}  // namespace muster::trainer
