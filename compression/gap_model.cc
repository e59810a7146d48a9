#include "compression/gap_model.h"

#include <algorithm>
#include <bit>

#include "compression/layout.h"

namespace muster::compression {
namespace {

// 2^(1/4), the middle between two models, and 2^(1/2), their distance.
constexpr double kQuarterOctave = 0x1.306fe0a31b715p+0;
constexpr double kHalfOctave = 0x1.6a09e667f3bcdp+0;
constexpr double kDensityMax = 0.99;

// Frequencies of quotients 0…30 and of the escape, for elements that are kept with probability `density`
// each, 2^low_bits to a quotient.
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

}  // namespace

GapModel::GapModel(std::uint32_t keep)
    : density_(static_cast<double>(keep + 1) / (kBlockElements + 1)) {
  const auto octaves = static_cast<unsigned>(std::bit_width(kBlockElements / keep) - 1);
  low_bits_ = octaves > 2 ? octaves - 2 : 0;
  double density = density_ / 8;
  for (std::uint32_t model = 0; model < kModels; ++model) {
    const auto table = frequencies(model == kBase ? density_ : density, low_bits_);
    tables_.push_back(RansTable::make(table));
    density *= kHalfOctave;
  }
}

std::uint32_t GapModel::choose(std::uint32_t entries_left, std::uint32_t elements_left) const {
  // The last entry is as likely anywhere; 0.8 fits a geometric distribution to that best.
  const double entries = entries_left == 1 ? 0.6 : entries_left;
  const double ratio = (entries + 1) / (static_cast<double>(elements_left + 1) * density_);
  std::uint32_t model = 0;
  for (double limit = kQuarterOctave / 8; model + 1 < kModels && ratio >= limit; limit *= kHalfOctave)
    ++model;
  return model;
}

}  // namespace muster::compression
