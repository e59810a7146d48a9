// Learning rate: linear warm-up, then a cosine to a share of the peak at the run's last inner step.
//
// Thread safety: pure functions.
#pragma once

#include <cstdint>

namespace muster::trainer {

struct Schedule {
  double peak = 3e-3;
  std::uint64_t warmup_steps = 30;
  std::uint64_t total_steps = 576;  // 0: constant after the warm-up
  double cosine_to = 0.1;           // share of the peak at the end
};

[[nodiscard]] double learning_rate(const Schedule& schedule, std::uint64_t step);

}  // namespace muster::trainer
