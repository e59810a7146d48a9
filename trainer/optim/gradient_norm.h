// The norm of a gradient and what is made of it: one number for clipping and for the guards.
//
// Summed in fp64 in eight interleaved lanes over chunks of 65536, chunk after chunk: equal bits for any
// number of threads. NaN and infinity come through. Thread safety: pure functions.
#pragma once

#include <span>

namespace muster::trainer {

// Σ x².
[[nodiscard]] double sum_squares(std::span<const float> values, unsigned threads = 1);

// What a gradient of this norm is multiplied by: min(1, clip / (norm + 1e-6)), as
// torch.nn.utils.clip_grad_norm_ has it; 1 when `clip` is 0.
[[nodiscard]] double clip_factor(double norm, double clip);

}  // namespace muster::trainer
