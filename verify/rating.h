// Rating: a miner's running estimate from its evaluations, and what follows from it.
//
// An exponential mean and variance of z with a lower confidence bound, faster once two evaluations in a row
// lie below half the mean, and beside it the share of rounds that the miner took part in; docs/scoring.md gives the formulas and where the constants come from. Fed
// with the quantised evaluations that validators sign, so anyone who holds the Screens recomputes it bit
// for bit. Thread safety: values and pure functions.
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "base/sign.h"
#include "protocol/messages.h"

namespace muster::verify {

class Rating {
 public:
  // Rounds ascend; one evaluation a round: a second one, or one of an earlier round, changes nothing.
  // `turn`, 0..1: the share of the payloads that could be measured in that round which were. Turns are what a rating
  // ages by: over one whole turn each miner could have been measured once, however few are in a round.
  void take(const protocol::Evaluation& evaluation, double turn);

  // Measured, rejected by the screen, or faults.
  [[nodiscard]] std::uint32_t evaluations() const { return evaluations_; }
  [[nodiscard]] bool gate_failed() const { return gate_failed_; }  // in the last of them
  [[nodiscard]] double mean() const { return mean_; }
  // mean − uncertainty; 0 before the first evaluation.
  [[nodiscard]] double lower_bound() const;
  // sqrt(max(variance, ¼) / min(evaluations, 19) + 0.04 · age): the standard deviation of the mean, which drifts by 0.2
  // per √turn since the last evaluation, so that what nobody measures fades; large before the first.
  [[nodiscard]] double uncertainty() const;
  // Turns since the last evaluation.
  [[nodiscard]] double age() const { return age_; }
  // Moving share of the rounds that it delivered in, 0..1.
  [[nodiscard]] double presence() const { return presence_; }
  // Away for so long that it is as if it had never been here.
  [[nodiscard]] bool is_gone() const { return presence_ < 1.0 / 16; }

 private:
  void measure(double x, bool gate_passed);
  std::uint32_t evaluations_ = 0;
  double mean_ = 0;
  double variance_ = 1;
  bool gate_failed_ = false;
  bool was_low_ = false;  // the last evaluation was below half the mean
  std::uint32_t rounds_ = 0;
  double presence_ = 1;
  Round next_;  // none of a round before it is taken
  double age_ = 0;
};

// Evaluations before a miner is paid.
inline constexpr std::uint32_t kEvaluationsBeforePay = 4;

using Ratings = std::map<PublicKey, Rating>;

// Standing in the aggregate: 16384 below four evaluations, 0 after a failed gate, else
// 65535 · clip(mean / reference, 0, 1), the reference the median mean of those below, at least 1.
[[nodiscard]] std::map<PublicKey, std::uint16_t> standings(const Ratings& ratings);

// What lower bounds are held against: the median of the upper half of those with four evaluations and a
// bound above 0, at least 1.
[[nodiscard]] double reference_bound(const Ratings& ratings);

// Share of a full weight, 0..1: clip((LCB / reference − ½) / ½, 0, 1) · presence; 0 below four
// evaluations. A failed gate is in the bound: as an evaluation of −4.
[[nodiscard]] double earned_share(const Rating& rating, double reference);

// Weight on the ledger: the shares, scaled so that the best has 65535. All zero when nobody qualifies.
[[nodiscard]] std::map<PublicKey, std::uint16_t> weights(const Ratings& ratings);

}  // namespace muster::verify
