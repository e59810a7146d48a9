#include "trainer/optim/schedule.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace muster::trainer {

double learning_rate(const Schedule& schedule, std::uint64_t step) {
  if (step < schedule.warmup_steps)
    return schedule.peak * static_cast<double>(step + 1) /
           static_cast<double>(schedule.warmup_steps);
  if (schedule.total_steps <= schedule.warmup_steps) return schedule.peak;
  const double progress =
      std::min(1.0, static_cast<double>(step - schedule.warmup_steps) /
                        static_cast<double>(schedule.total_steps - schedule.warmup_steps));
  const double wave = 0.5 * (1 + std::cos(std::numbers::pi * progress));
  return schedule.peak * (schedule.cosine_to + (1 - schedule.cosine_to) * wave);
}

}  // namespace muster::trainer
