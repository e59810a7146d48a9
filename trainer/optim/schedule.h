// Learning rate over a run: linear warm-up, then what the shape says.
//
// kCosine falls along half a cosine to a share of the peak at the run's last step. kWsd (warm-up,
// stable, decay) stays at the peak and falls in the last `decay_share` of the run, so that a run
// can be prolonged from any point of the plateau: Hu et al., "MiniCPM" (arXiv 2404.06395); the form
// 1 − √x and its share of a fifth are of Hägele et al., "Scaling laws and compute-optimal training
// beyond fixed training durations" (arXiv 2405.18392). Thread safety: pure functions.
#pragma once

#include <cstdint>

namespace muster::trainer {

enum class ScheduleShape { kCosine, kWsd, kConstant };
enum class DecayForm { kOneMinusSqrt, kLinear };

struct Schedule {
  double peak = 3e-3;
  std::uint64_t warmup_steps = 30;
  std::uint64_t total_steps = 576;  // 0: constant after the warm-up
  double cosine_to = 0.1;           // share of the peak at the end of a cosine
  ScheduleShape shape = ScheduleShape::kCosine;
  double decay_share = 0.2;  // of total_steps, at the end of kWsd
  DecayForm decay_form = DecayForm::kOneMinusSqrt;
  double decay_to = 0.0;  // share of the peak at the end of kWsd
};

// For the step after `step` others. Warm-up: (step + 1) / warmup_steps of the peak.
[[nodiscard]] double learning_rate(const Schedule& schedule, std::uint64_t step);

}  // namespace muster::trainer
