#include "verify/rating.h"

#include <algorithm>
#include <cmath>

#include "base/median.h"
#include "protocol/tally.h"

namespace muster::verify {

using protocol::Basis;

namespace {

constexpr double kLowestScore = -0.4;  // three and a half deviations below who did not train
constexpr double kHighestScore = 0.76;
constexpr double kSmallestStep = 0.1;
constexpr double kStepAfterTurning = 0.25;
constexpr double kSmallestVariance = 0.0025;  // of one evaluation
constexpr double kDriftPerTurn = 0.0004;      // of the mean's variance
// Standard deviations of one evaluation's scores: of a quarter, which has half of the windows, and
// of everything or a group.
constexpr double kQuarterNoise = 0.17, kNoise = 0.11;
constexpr double kDoubt = 4;       // standard deviations in favor of who was evaluated a few times
constexpr double kSettledAt = 25;  // evaluations
constexpr double kSignificance = 0.23;               // two deviations of who did not train
constexpr std::uint32_t kEffectiveEvaluations = 19;  // of an exponential mean with step 0.1
constexpr double kSmallestReference = 0.05;
constexpr double kSmallestStrength =
    0.5;  // where nobody trains, nobody is measured against the luckiest
constexpr double kTrailingFloor = 0.8;
constexpr double kTrailingStep = 0.01;
constexpr double kSmallestShare = 0.02, kLargestShare = 1.25;
constexpr double kPaidFrom = 0.40, kPaidOver = 0.55;  // shares of the reference

double step_of(std::uint32_t count) { return std::max(kSmallestStep, 1.0 / count); }

double variance_of_mean(double variance, std::uint32_t evaluations) {
  return std::max(variance, kSmallestVariance) / std::min(evaluations, kEffectiveEvaluations);
}

// What is added to a mean of `evaluations` scores so that chance takes no pay: falls to 0 at
// kSettledAt.
double benefit_of_doubt(double noise, std::uint32_t evaluations) {
  return std::max(0.0, kDoubt * noise * (1 / std::sqrt(evaluations) - 1 / std::sqrt(kSettledAt)));
}

// Median of the upper half; 0 for nothing.
double upper_half_median(std::vector<double> values) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  return median({values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2), values.end()});
}

std::uint16_t fraction_of_u16(double fraction) {
  return static_cast<std::uint16_t>(std::floor(65535 * std::clamp(fraction, 0.0, 1.0)));
}

bool is_proven(const Rating& rating) { return rating.evaluations() >= kEvaluationsBeforePay; }

}  // namespace

void Rating::take(const protocol::Evaluation& evaluation, double turn) {
  if (evaluation.round < next_) return;
  next_ = evaluation.round.next();
  const bool present = evaluation.basis != Basis::kAbsent;
  ++rounds_;
  presence_ += step_of(rounds_) * ((present ? 1.0 : 0.0) - presence_);
  switch (evaluation.basis) {
    case Basis::kMeasured:
      ++drops_;
      drop_ += step_of(drops_) * (evaluation.drop_e6 / 1e6 - drop_);
      return measure(evaluation.scores, evaluation.gate_passed);
    case Basis::kFault:
    case Basis::kRejected:
      return measure({}, false);
    case Basis::kUnmeasured:
    case Basis::kAbsent:
      age_ += turn;
      return;
  }
  MUSTER_UNREACHABLE();
}

void Rating::measure(const protocol::Scores& scores, bool gate_passed) {
  gate_failed_ = !gate_passed;
  ++evaluations_;
  age_ = 0;
  const auto value_of = [gate_passed](std::int16_t part_e3) {
    return gate_passed ? std::clamp(part_e3 / 1000.0, kLowestScore, kHighestScore) : kLowestScore;
  };
  const double all = value_of(scores.all_e3);
  const bool low = all < std::min(mean_ / 2, mean_ - kSignificance);
  const double step =
      low && was_low_ ? std::max(kStepAfterTurning, step_of(evaluations_)) : step_of(evaluations_);
  was_low_ = low;
  const double difference = all - mean_;
  mean_ += step * difference;
  variance_ = (1 - step) * (variance_ + step * difference * difference);
  // A fault does not say how many groups there are: those that are known count.
  const std::size_t groups =
      std::max(scores.groups_e3.size(), parts_.size() - std::min(parts_.size(), kQuarters));
  parts_.resize(kQuarters + groups);
  for (std::size_t part = 0; part < parts_.size(); ++part) {
    const std::size_t group = part - kQuarters;
    const std::int16_t e3 = part < kQuarters                  ? scores.quarters_e3[part]
                            : group < scores.groups_e3.size() ? scores.groups_e3[group]
                                                              : std::int16_t{0};
    parts_[part] += step * (value_of(e3) - parts_[part]);
  }
}

double Rating::lower_bound() const { return evaluations_ == 0 ? 0 : mean_ - uncertainty(); }

double Rating::uncertainty(double noise_share) const {
  if (evaluations_ == 0) return kHighestScore - kLowestScore;
  return std::sqrt(noise_share * noise_share * variance_of_mean(variance_, evaluations_) +
                   kDriftPerTurn * age_);
}

Yardstick::Yardstick(const Ratings& ratings, const Reference& trailing) {
  std::vector<const Rating*> able;
  std::size_t parts = trailing.parts.size();
  for (const auto& [hotkey, rating] : ratings) {
    if (!is_proven(rating) || !(rating.lower_bound() > 0)) continue;
    able.push_back(&rating);
    parts = std::max(parts, rating.parts().size());
  }
  const auto each = [&](const auto& value) {
    std::vector<double> values;
    for (const Rating* rating : able) values.push_back(value(*rating));
    return values;
  };
  Reference present;
  for (std::size_t part = 0; part < parts; ++part) {
    present.parts.push_back(upper_half_median(each([part](const Rating& rating) {
      return part < rating.parts().size() ? rating.parts()[part] : 0.0;
    })));
    const double floor = part < trailing.parts.size() ? kTrailingFloor * trailing.parts[part] : 0;
    held_against_.parts.push_back(std::max({kSmallestReference, floor, present.parts.back()}));
  }
  present.strength =
      upper_half_median(each([this](const Rating& rating) { return strength(rating); }));
  held_against_.strength =
      std::max({kSmallestStrength, kTrailingFloor * trailing.strength, present.strength});
  drop_ = median(each([](const Rating& rating) { return rating.drop(); }));
  if (!able.empty()) present_ = std::move(present);
}

double Yardstick::part_share(const Rating& rating, std::size_t part) const {
  if (part >= held_against_.parts.size() || part >= rating.parts().size()) return kSmallestShare;
  const double doubt =
      benefit_of_doubt(part < kQuarters ? kQuarterNoise : kNoise, rating.evaluations());
  return std::clamp((rating.parts()[part] + doubt) / held_against_.parts[part], kSmallestShare,
                    kLargestShare);
}

// The power mean −4 of the parts, quarters and groups half each, times how certain the whole is.
double Yardstick::strength(const Rating& rating) const {
  const std::size_t parts = held_against_.parts.size();
  const double whole = rating.mean() + benefit_of_doubt(kNoise, rating.evaluations());
  if (parts <= kQuarters || !(whole > 0)) return 0;
  double quarters = 0, groups = 0;
  for (std::size_t part = 0; part < parts; ++part) {
    const double share = part_share(rating, part), square = share * share;
    (part < kQuarters ? quarters : groups) += 1 / (square * square);
  }
  const double mean = (quarters / kQuarters + groups / static_cast<double>(parts - kQuarters)) / 2;
  const double uncertainty = rating.uncertainty(std::min(1.0, rating.evaluations() / kSettledAt));
  return std::max(0.0, 1 - uncertainty / whole) / std::sqrt(std::sqrt(mean));
}

double Yardstick::share(const Rating& rating) const {
  return strength(rating) / held_against_.strength;
}

bool Yardstick::is_useless(const Rating& rating) const {
  return rating.drop() < std::max(0.0, drop_ / 2);
}

double Yardstick::earned(const Rating& rating) const {
  if (!is_proven(rating) || is_useless(rating)) return 0;
  return std::clamp((share(rating) - kPaidFrom) / kPaidOver, 0.0, 1.0) * rating.presence();
}

void TrailingReference::take(const Reference& present) {
  const double step = std::max(kTrailingStep, 1.0 / ++rounds_);
  const auto follow = [step](double& value, double to) { value += step * (to - value); };
  value_.parts.resize(std::max(value_.parts.size(), present.parts.size()));
  for (std::size_t part = 0; part < value_.parts.size(); ++part)
    follow(value_.parts[part], part < present.parts.size() ? present.parts[part] : 0);
  follow(value_.strength, present.strength);
}

std::map<PublicKey, std::uint16_t> standings(const Ratings& ratings, const Yardstick& yardstick) {
  std::map<PublicKey, std::uint16_t> standings;
  for (const auto& [hotkey, rating] : ratings) {
    if (rating.gate_failed()) {
      standings[hotkey] = 0;
    } else if (!is_proven(rating)) {
      standings[hotkey] = protocol::kNewcomerStanding;
    } else {
      standings[hotkey] =
          yardstick.is_useless(rating) ? 0 : fraction_of_u16(yardstick.share(rating));
    }
  }
  return standings;
}

std::map<PublicKey, std::uint16_t> weights(const Ratings& ratings, const Yardstick& yardstick) {
  double best = 0;
  for (const auto& [hotkey, rating] : ratings) best = std::max(best, yardstick.earned(rating));
  std::map<PublicKey, std::uint16_t> weights;
  for (const auto& [hotkey, rating] : ratings)
    weights[hotkey] = best > 0 ? fraction_of_u16(yardstick.earned(rating) / best) : 0;
  return weights;
}

}  // namespace muster::verify
