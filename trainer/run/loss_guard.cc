#include "trainer/run/loss_guard.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>

namespace muster::trainer {
namespace {

struct Moments {
  double mean = 0, deviation = 0;
};

Moments moments_of(const std::vector<double>& values) {
  Moments moments;
  for (const double value : values) moments.mean += value;
  moments.mean /= static_cast<double>(values.size());
  double squares = 0;
  for (const double value : values) squares += (value - moments.mean) * (value - moments.mean);
  moments.deviation = std::sqrt(squares / static_cast<double>(values.size()));
  return moments;
}

void push(std::vector<double>& window, double value, std::size_t size) {
  if (window.size() >= size) window.erase(window.begin());
  window.push_back(value);
}

}  // namespace

Verdict LossGuard::judge(double loss, double norm) {
  const Limits most = limits();
  const Verdict verdict = !std::isfinite(loss) || !std::isfinite(norm) ? Verdict::kNonFinite
                          : loss > most.loss && norm > most.norm       ? Verdict::kSpike
                                                                       : Verdict::kApply;
  if (verdict != Verdict::kApply) {
    ++state_.skipped;
    ++state_.skipped_in_a_row;
    return verdict;
  }
  state_.skipped_in_a_row = 0;
  push(state_.losses, loss, config_.window);
  push(state_.norms, norm, config_.window);
  return verdict;
}

LossGuard::Limits LossGuard::limits() const {
  if (config_.spike_sd <= 0 || state_.losses.size() < std::min(kStepsMin, config_.window))
    return {std::numeric_limits<double>::infinity(), std::numeric_limits<double>::infinity()};
  const Moments losses = moments_of(state_.losses), norms = moments_of(state_.norms);
  return {losses.mean + std::max(config_.spike_sd * losses.deviation, 0.1 * losses.mean),
          norms.mean + std::max(config_.spike_sd * norms.deviation, 9 * norms.mean)};
}

Status LossGuard::check(std::uint64_t step, double loss, double norm) const {
  if (state_.skipped_in_a_row < config_.skips_max) return {};
  char text[256];
  std::snprintf(
      text, sizeof(text),
      "step %llu: %u steps in a row were skipped, the last with loss %.4g and gradient norm %.4g; "
      "lower train.learning_rate or lengthen train.warmup_steps and go on from a checkpoint",
      static_cast<unsigned long long>(step), state_.skipped_in_a_row, loss, norm);
  return Error{Errc::kNonFinite, text};
}

}  // namespace muster::trainer
