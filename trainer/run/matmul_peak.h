// What this machine's matrix products give at best: the measure for how well a training uses it.
//
// Thread safety: none; it takes the machine for a moment.
#pragma once

#include <functional>

#include "base/team.h"

namespace muster::trainer {

// Floating-point operations per second of the products that the trainer uses, 1024 × 512 × 512 on
// the whole team, the best of those that fit in `seconds_max`. `stored_bf16`: with bf16
// activations. 0 where the CPU does not have them.
[[nodiscard]] double matmul_peak(Team& team, bool stored_bf16, double seconds_max,
                                 const std::function<double()>& seconds);

}  // namespace muster::trainer
