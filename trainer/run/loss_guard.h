// LossGuard: keeps steps that would harm the model from being applied.
//
// A step is skipped when its loss or gradient norm is not finite, or when both spike: each over the
// mean of the last `window` applied steps by `spike_sd` standard deviations, and besides the loss
// by a tenth and the norm by nine times the mean. Both must, because a rare batch raises one of
// them alone and is worth learning from; the last two keep a calm run, whose deviations are tiny,
// from calling noise a spike. No spike is called before `kStepsMin` steps. Skipped steps do not
// enter the window. Thread safety: none; one owner. Equal inputs give equal verdicts.
#pragma once

#include <cstdint>
#include <vector>

#include "base/result.h"

namespace muster::trainer {

struct GuardConfig {
  double spike_sd = 8;           // 0: only what is not finite is skipped
  std::uint32_t window = 128;    // applied steps
  std::uint32_t skips_max = 10;  // skipped in a row before the run stops
};

enum class Verdict : std::uint8_t { kApply, kNonFinite, kSpike };

// What a checkpoint must hold of a guard.
struct GuardState {
  std::vector<double> losses, norms;  // of the window, oldest first
  std::uint64_t skipped = 0;
  std::uint32_t skipped_in_a_row = 0;
  bool operator==(const GuardState&) const = default;
};

class LossGuard {
 public:
  static constexpr std::uint32_t kStepsMin = 32;

  explicit LossGuard(const GuardConfig& config, GuardState state = {})
      : config_(config), state_(std::move(state)) {}

  // `loss`: mean nats per token; `norm`: of the gradient before clipping.
  Verdict judge(double loss, double norm);
  // A step over both is a spike; infinite while none is called.
  struct Limits {
    double loss = 0, norm = 0;
  };
  [[nodiscard]] Limits limits() const;
  // Errors: kNonFinite (skips_max steps were skipped in a row; names `step`, the numbers and the
  // mend).
  [[nodiscard]] Status check(std::uint64_t step, double loss, double norm) const;
  [[nodiscard]] const GuardState& state() const { return state_; }

 private:
  GuardConfig config_;
  GuardState state_;
};

}  // namespace muster::trainer
