// Rating: a miner's running estimate from its evaluations, and what follows from it.
//
// An exponential mean of every part of the score, a variance of the whole with a lower confidence
// bound, faster once two evaluations in a row lie far below the mean, and beside it the share of
// rounds that the miner took part in. A miner is worth what its weakest parts are worth;
// docs/scoring.md gives the formulas and where the constants come from. Fed with the quantised
// evaluations that validators sign, so anyone who holds the Screens recomputes it bit for bit.
// Thread safety: values and pure functions.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "base/sign.h"
#include "protocol/messages.h"

namespace muster::verify {

class Rating {
 public:
  // Rounds ascend; one evaluation a round: a second one, or one of an earlier round, changes
  // nothing. `turn`, 0..1: the share of the payloads that could be measured in that round which
  // were. Turns are what a rating ages by: over one whole turn each miner could have been measured
  // once, however few are in a round.
  void take(const protocol::Evaluation& evaluation, double turn);

  // Measured, rejected by the screen, or faults.
  [[nodiscard]] std::uint32_t evaluations() const { return evaluations_; }
  [[nodiscard]] bool gate_failed() const { return gate_failed_; }  // in the last of them
  // Of the score of everything together.
  [[nodiscard]] double mean() const { return mean_; }
  // mean − uncertainty; 0 before the first evaluation.
  [[nodiscard]] double lower_bound() const;
  // sqrt(max(variance, 0.0025) / min(evaluations, 19) + 0.0004 · age): the standard deviation of
  // the mean, which drifts by 0.02 per √turn since the last evaluation, so that what nobody
  // measures fades; large before the first. `noise_share`: of the deviation, not of the drift.
  [[nodiscard]] double uncertainty(double noise_share = 1) const;
  // Turns since the last evaluation.
  [[nodiscard]] double age() const { return age_; }
  // Means of the parts: four quarters of the positions, then the tensor groups.
  [[nodiscard]] const std::vector<double>& parts() const { return parts_; }
  // Mean of the relative loss drop, over what was measured.
  [[nodiscard]] double drop() const { return drop_; }
  // Moving share of the rounds that it delivered in, 0..1.
  [[nodiscard]] double presence() const { return presence_; }
  // Away for so long that it is as if it had never been here.
  [[nodiscard]] bool is_gone() const { return presence_ < 1.0 / 16; }

 private:
  void measure(const protocol::Scores& scores, bool gate_passed);
  std::uint32_t evaluations_ = 0;
  double mean_ = 0;
  double variance_ = 1;
  std::vector<double> parts_;
  std::uint32_t drops_ = 0;  // measured
  double drop_ = 0;
  bool gate_failed_ = false;
  bool was_low_ = false;  // the last evaluation was far below the mean
  std::uint32_t rounds_ = 0;
  double presence_ = 1;
  Round next_;  // none of a round before it is taken
  double age_ = 0;
};

// Evaluations before a miner is paid.
inline constexpr std::uint32_t kEvaluationsBeforePay = 4;
// Parts in front of those of tensor groups.
inline constexpr std::size_t kQuarters = 4;

using Ratings = std::map<PublicKey, Rating>;

// What miners are held against: medians of the upper half.
struct Reference {
  std::vector<double> parts;  // means
  double strength = 0;        // ρ
  bool operator==(const Reference&) const = default;
};

// What the miners of one validator are worth: held against those with four evaluations and a lower
// bound above 0, so that any number of identities that do nothing moves it not at all. What most of
// them stop doing together shows too: parts and ρ are held against at least 0.8 times `trailing`,
// what they were held against so far.
class Yardstick {
 public:
  explicit Yardstick(const Ratings& ratings, const Reference& trailing = {});

  // Without what is trailing; none: nobody is proven.
  [[nodiscard]] const std::optional<Reference>& present() const { return present_; }

  // A part's mean over the reference's (at least 0.05), in 0.02…1.25. A mean of fewer than 25
  // evaluations gets the benefit of the doubt, some deviations of noise that fade until then.
  [[nodiscard]] double part_share(const Rating& rating, std::size_t part) const;
  // ρ over the reference's (at least ½): what the parts are worth together, the weakest most.
  [[nodiscard]] double share(const Rating& rating) const;
  // Its mean loss drop is less than half of the median.
  [[nodiscard]] bool is_useless(const Rating& rating) const;
  // Share of a full weight, 0..1: presence · clip((share − 0.40) / 0.55, 0, 1); 0 below four
  // evaluations and for who is useless. A failed gate is in the means: as the worst score.
  [[nodiscard]] double earned(const Rating& rating) const;

 private:
  [[nodiscard]] double strength(const Rating& rating) const;
  std::optional<Reference> present_;
  Reference held_against_;
  double drop_ = 0;
};

// The mean of all references so far, of the last hundred rounds once there are as many.
class TrailingReference {
 public:
  void take(const Reference& present);
  [[nodiscard]] const Reference& value() const { return value_; }

 private:
  Reference value_;
  std::uint32_t rounds_ = 0;
};

// Standing in the aggregate: 16384 below four evaluations, 0 after a failed gate and for who is
// useless, else 65535 · clip(share, 0, 1).
[[nodiscard]] std::map<PublicKey, std::uint16_t> standings(const Ratings& ratings,
                                                           const Yardstick& yardstick);

// Weight on the ledger: what was earned, scaled so that the best has 65535. All zero when nobody
// qualifies.
[[nodiscard]] std::map<PublicKey, std::uint16_t> weights(const Ratings& ratings,
                                                         const Yardstick& yardstick);

}  // namespace muster::verify
