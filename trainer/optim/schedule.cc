#include "trainer/optim/schedule.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace muster::trainer {
namespace {

// How much of [first, last] lies behind `step`, 0 to 1.
double progress_of(std::uint64_t step, double first, double last) {
  return std::clamp((static_cast<double>(step) - first) / (last - first), 0.0, 1.0);
}

double cosine_share(const Schedule& schedule, std::uint64_t step) {
  const double progress = progress_of(step, static_cast<double>(schedule.warmup_steps),
                                      static_cast<double>(schedule.total_steps));
  const double wave = 0.5 * (1 + std::cos(std::numbers::pi * progress));
  return schedule.cosine_to + (1 - schedule.cosine_to) * wave;
}

double wsd_share(const Schedule& schedule, std::uint64_t step) {
  const auto total = static_cast<double>(schedule.total_steps);
  const double first =
      std::max(static_cast<double>(schedule.warmup_steps), total * (1 - schedule.decay_share));
  if (static_cast<double>(step) <= first) return 1;
  const double progress = progress_of(step, first, total);
  const double fall = schedule.decay_form == DecayForm::kLinear ? progress : std::sqrt(progress);
  return 1 - (1 - schedule.decay_to) * fall;
}

}  // namespace

double learning_rate(const Schedule& schedule, std::uint64_t step) {
  if (step < schedule.warmup_steps)
    return schedule.peak * static_cast<double>(step + 1) /
           static_cast<double>(schedule.warmup_steps);
  if (schedule.total_steps <= schedule.warmup_steps || schedule.shape == ScheduleShape::kConstant)
    return schedule.peak;
  return schedule.peak * (schedule.shape == ScheduleShape::kWsd ? wsd_share(schedule, step)
                                                                : cosine_share(schedule, step));
}

}  // namespace muster::trainer
