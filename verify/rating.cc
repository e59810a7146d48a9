#include "verify/rating.h"

#include <algorithm>
#include <cmath>

#include "base/median.h"
#include "protocol/tally.h"

namespace muster::verify {

using protocol::Basis;

namespace {

constexpr double kLowestZ = -4;
constexpr double kHighestZ = 6;
constexpr double kSmallestReference = 1;  // of a standard normal z: noise alone is no reference
constexpr double kSmallestStep = 0.1;
constexpr double kStepAfterTurning = 0.25;
constexpr double kSmallestVariance = 0.25;
constexpr double kDriftPerTurn = 0.04;               // of the mean's variance
constexpr std::uint32_t kEffectiveEvaluations = 19;  // of an exponential mean with step 0.1

double variance_of_mean(double variance, std::uint32_t evaluations) {
  return std::max(variance, kSmallestVariance) / std::min(evaluations, kEffectiveEvaluations);
}

double step_of(std::uint32_t count) { return std::max(kSmallestStep, 1.0 / count); }

// Median of the upper half; 0 for nothing.
double upper_half_median(std::vector<double> values) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  return median({values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2), values.end()});
}

std::uint16_t fraction_of_u16(double fraction) {
  return static_cast<std::uint16_t>(std::floor(65535 * std::clamp(fraction, 0.0, 1.0)));
}

bool is_proven(const Rating& rating) {
  return rating.evaluations() >= kEvaluationsBeforePay;
}

// Of who did something, so that any number of identities that do nothing moves it not at all.
double reference(const Ratings& ratings, double (Rating::*value)() const) {
  std::vector<double> values;
  for (const auto& [hotkey, rating] : ratings)
    if (is_proven(rating) && rating.lower_bound() > 0) values.push_back((rating.*value)());
  return upper_half_median(std::move(values));
}

}  // namespace

void Rating::take(const protocol::Evaluation& evaluation, double turn) {
  if (evaluation.round < next_) return;
  next_ = evaluation.round.next();
  const bool present = evaluation.basis != Basis::kAbsent;
  ++rounds_;
  presence_ += step_of(rounds_) * ((present ? 1.0 : 0.0) - presence_);
  switch (evaluation.basis) {
    case Basis::kMeasured:
      return measure(evaluation.gate_passed ? evaluation.z_e2 / 100.0 : kLowestZ, evaluation.gate_passed);
    case Basis::kFault:
    case Basis::kRejected: return measure(kLowestZ, false);
    case Basis::kUnmeasured:
    case Basis::kAbsent: age_ += turn; return;
  }
  MUSTER_UNREACHABLE();
}

void Rating::measure(double x, bool gate_passed) {
  gate_failed_ = !gate_passed;
  ++evaluations_;
  age_ = 0;
  const double clipped = std::clamp(x, kLowestZ, kHighestZ);
  const bool low = clipped < mean_ / 2;
  const double step = low && was_low_ ? std::max(kStepAfterTurning, step_of(evaluations_))
                                      : step_of(evaluations_);
  was_low_ = low;
  const double difference = clipped - mean_;
  mean_ += step * difference;
  variance_ = (1 - step) * (variance_ + step * difference * difference);
}

double Rating::lower_bound() const { return evaluations_ == 0 ? 0 : mean_ - uncertainty(); }

double Rating::uncertainty() const {
  if (evaluations_ == 0) return kHighestZ - kLowestZ;
  return std::sqrt(variance_of_mean(variance_, evaluations_) + kDriftPerTurn * age_);
}

std::map<PublicKey, std::uint16_t> standings(const Ratings& ratings) {
  const double best = std::max(kSmallestReference, reference(ratings, &Rating::mean));
  std::map<PublicKey, std::uint16_t> standings;
  for (const auto& [hotkey, rating] : ratings) {
    if (rating.gate_failed()) {
      standings[hotkey] = 0;
    } else if (!is_proven(rating)) {
      standings[hotkey] = protocol::kNewcomerStanding;
    } else {
      standings[hotkey] = fraction_of_u16(rating.mean() / best);
    }
  }
  return standings;
}

double reference_bound(const Ratings& ratings) {
  return std::max(kSmallestReference, reference(ratings, &Rating::lower_bound));
}

double earned_share(const Rating& rating, double reference) {
  if (!is_proven(rating)) return 0;
  return std::clamp((rating.lower_bound() / reference - 0.5) / 0.5, 0.0, 1.0) * rating.presence();
}

std::map<PublicKey, std::uint16_t> weights(const Ratings& ratings) {
  const double bound = reference_bound(ratings);
  double best = 0;
  for (const auto& [hotkey, rating] : ratings) best = std::max(best, earned_share(rating, bound));
  std::map<PublicKey, std::uint16_t> weights;
  for (const auto& [hotkey, rating] : ratings)
    weights[hotkey] = best > 0 ? fraction_of_u16(earned_share(rating, bound) / best) : 0;
  return weights;
}

}  // namespace muster::verify
