// Rating: a miner's running estimate from its evaluations, and what follows from it.
//
// An exponential mean and variance of z with a lower confidence bound; docs/scoring.md gives the formulas
// and where the constants come from. Fed with the quantised evaluations that validators sign, so anyone
// who holds the Screens recomputes it bit for bit. Thread safety: values and pure functions.
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "base/sign.h"
#include "protocol/messages.h"

namespace muster::verify {

class Rating {
 public:
  // z: own-versus-random rank-sum, clipped to [−4, 6]; a failed gate counts as −4.
  void add(double z, bool gate_passed);

  [[nodiscard]] std::uint32_t evaluations() const { return evaluations_; }
  [[nodiscard]] bool gate_failed() const { return gate_failed_; }  // in the last evaluation
  [[nodiscard]] double mean() const { return mean_; }
  // mean − sqrt(max(variance, ¼) / min(evaluations, 19)); 0 before the first.
  [[nodiscard]] double lower_bound() const;
  // sqrt of the same: how uncertain the mean is; large before the first evaluation.
  [[nodiscard]] double uncertainty() const;

 private:
  std::uint32_t evaluations_ = 0;
  double mean_ = 0;
  double variance_ = 1;
  bool gate_failed_ = false;
};

// Evaluations before a miner is paid.
inline constexpr std::uint32_t kEvaluationsBeforePay = 4;

using Ratings = std::map<PublicKey, Rating>;

// Standing in the aggregate: 16384 below four evaluations, 0 after a failed gate, else
// 65535 · clip(mean / median mean of the upper half, 0, 1).
[[nodiscard]] std::map<PublicKey, std::uint16_t> standings(const Ratings& ratings);

// Weight on the ledger: p = clip((LCB / ref − ½) / ½, 0, 1) with ref = max(1, median LCB of the upper
// half), 0 below four evaluations or after a failed gate; scaled so that the best has 65535.
// All zero when nobody qualifies.
[[nodiscard]] std::map<PublicKey, std::uint16_t> weights(const Ratings& ratings);

}  // namespace muster::verify
