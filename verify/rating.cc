#include "verify/rating.h"

#include <algorithm>
#include <cmath>

namespace muster::verify {
namespace {

constexpr double kLowestZ = -4;
constexpr double kHighestZ = 6;
constexpr double kSmallestStep = 0.1;
constexpr double kSmallestVariance = 0.25;
constexpr std::uint32_t kEffectiveEvaluations = 19;  // of an exponential mean with step 0.1

double spread(double variance, std::uint32_t evaluations) {
  return std::sqrt(std::max(variance, kSmallestVariance) /
                   std::min(evaluations, kEffectiveEvaluations));
}

// Median of the upper half; 0 for nothing.
double upper_half_median(std::vector<double> values) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  const std::vector<double> upper(values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2),
                                  values.end());
  const std::size_t middle = upper.size() / 2;
  return upper.size() % 2 == 1 ? upper[middle] : (upper[middle - 1] + upper[middle]) / 2;
}

std::uint16_t fraction_of_u16(double fraction) {
  return static_cast<std::uint16_t>(std::floor(65535 * std::clamp(fraction, 0.0, 1.0)));
}

bool is_proven(const Rating& rating) { return rating.evaluations() >= kEvaluationsBeforePay; }

}  // namespace

void Rating::add(double z, bool gate_passed) {
  gate_failed_ = !gate_passed;
  const double x = gate_passed ? std::clamp(z, kLowestZ, kHighestZ) : kLowestZ;
  ++evaluations_;
  const double step = std::max(kSmallestStep, 1.0 / evaluations_);
  const double difference = x - mean_;
  mean_ += step * difference;
  variance_ = (1 - step) * (variance_ + step * difference * difference);
}

double Rating::lower_bound() const {
  return evaluations_ == 0 ? 0 : mean_ - spread(variance_, evaluations_);
}

double Rating::uncertainty() const {
  return evaluations_ == 0 ? kHighestZ - kLowestZ : spread(variance_, evaluations_);
}

std::map<PublicKey, std::uint16_t> standings(const Ratings& ratings) {
  std::vector<double> means;
  for (const auto& [hotkey, rating] : ratings)
    if (is_proven(rating)) means.push_back(rating.mean());
  const double reference = upper_half_median(means);
  std::map<PublicKey, std::uint16_t> standings;
  for (const auto& [hotkey, rating] : ratings) {
    if (rating.gate_failed()) {
      standings[hotkey] = 0;
    } else if (!is_proven(rating)) {
      standings[hotkey] = 16384;
    } else {
      standings[hotkey] = reference > 0 ? fraction_of_u16(rating.mean() / reference) : 0;
    }
  }
  return standings;
}

std::map<PublicKey, std::uint16_t> weights(const Ratings& ratings) {
  std::vector<double> bounds;
  for (const auto& [hotkey, rating] : ratings) bounds.push_back(rating.lower_bound());
  const double reference = std::max(1.0, upper_half_median(bounds));
  std::map<PublicKey, double> shares;
  double best = 0;
  for (const auto& [hotkey, rating] : ratings) {
    const bool qualified = is_proven(rating) && !rating.gate_failed();
    shares[hotkey] =
        qualified ? std::clamp((rating.lower_bound() / reference - 0.5) / 0.5, 0.0, 1.0) : 0;
    best = std::max(best, shares[hotkey]);
  }
  std::map<PublicKey, std::uint16_t> weights;
  for (const auto& [hotkey, share] : shares)
    weights[hotkey] = best > 0 ? fraction_of_u16(share / best) : 0;
  return weights;
}

}  // namespace muster::verify
