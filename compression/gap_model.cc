#include "compression/gap_model.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "compression/layout.h"

namespace muster::compression {
namespace {

// 2^(1/4), the middle between two models, and 2^(1/2), their distance.
constexpr double kQuarterOctave = 0x1.306fe0a31b715p+0;
constexpr double kHalfOctave = 0x1.6a09e667f3bcdp+0;
constexpr double kDensityMax = 0.99;

// Frequencies of quotients 0…30 and of the escape, for elements that are kept with probability
// `density` each, 2^low_bits to a quotient.
std::array<std::uint32_t, 32> frequencies(double density, unsigned low_bits) {
  double ratio = 1 - std::min(density, kDensityMax);
  for (unsigned bit = 0; bit < low_bits; ++bit) ratio *= ratio;
  std::array<std::uint32_t, 32> result{};
  double probability = 1 - ratio;
  std::uint32_t others = 0;
  for (std::uint32_t q = 1; q <= kGapEscape; ++q) {
    probability *= ratio;
    const double share = q == kGapEscape ? probability / (1 - ratio) : probability;
    result[q] = std::max(1u, static_cast<std::uint32_t>(share * kRansTotal + 0.5));
    others += result[q];
  }
  result[0] = kRansTotal - others;
  return result;
}

// The fewest elements among which `entries` entries are thinner than `density`.
std::uint16_t elements_below(std::uint32_t entries, double density) {
  // The last entry is as likely anywhere; 0.6 fits a geometric distribution to that best.
  const double counted = (entries == 1 ? 0.6 : entries) + 1;
  return static_cast<std::uint16_t>(std::min(std::floor(counted / density), kBlockElements + 1.0));
}

}  // namespace

GapModel::GapModel(std::uint32_t keep) {
  const double base = static_cast<double>(keep + 1) / (kBlockElements + 1);
  const auto octaves = static_cast<unsigned>(std::bit_width(kBlockElements / keep) - 1);
  low_bits_ = octaves > 2 ? octaves - 2 : 0;
  double density = base / 8;
  for (std::uint32_t model = 0; model < kModels; ++model) {
    const auto table = frequencies(model == kBase ? base : density, low_bits_);
    tables_.push_back(RansTable::make(table));
    for (std::size_t left = 0; left < limits_.size() && model + 1 < kModels; ++left)
      limits_[left][model] = elements_below(1u << left, density * kQuarterOctave);
    density *= kHalfOctave;
  }
}

}  // namespace muster::compression
