#include "compression/quantize.h"

#include <algorithm>
#include <bit>

namespace muster::compression {
namespace {

constexpr std::uint16_t kLargestLevel = 0x7f7f;
constexpr std::uint16_t kSmallestLevel = 0x0080;
constexpr int kLloydSteps = 6;

std::uint16_t level_of(double mean) {
  const std::uint16_t bits = to_bf16(static_cast<float>(mean));
  return std::clamp(bits, kSmallestLevel, kLargestLevel);
}

struct Means {
  double low = 0, high = 0;
  std::size_t highs = 0;
};

Means means_around(std::span<const float> magnitudes, double threshold) {
  double low = 0, high = 0;
  std::size_t highs = 0;
  for (float magnitude : magnitudes) {
    if (static_cast<double>(magnitude) >= threshold) {
      high += static_cast<double>(magnitude);
      ++highs;
    } else {
      low += static_cast<double>(magnitude);
    }
  }
  const std::size_t lows = magnitudes.size() - highs;
  return {lows > 0 ? low / static_cast<double>(lows) : 0,
          highs > 0 ? high / static_cast<double>(highs) : 0, highs};
}

}  // namespace

std::uint16_t to_bf16(float value) {
  const std::uint32_t bits = std::bit_cast<std::uint32_t>(value);
  return static_cast<std::uint16_t>((bits + 0x7fff + ((bits >> 16) & 1)) >> 16);
}

float from_bf16(std::uint16_t bits) { return std::bit_cast<float>(std::uint32_t{bits} << 16); }

bool is_level(std::uint16_t bits) { return bits >= kSmallestLevel && bits <= kLargestLevel; }

Levels quantise(std::span<const float> magnitudes, ValueFormat format) {
  Levels levels;
  double threshold = 0;
  Means means = means_around(magnitudes, threshold);
  const double mean = means.high;
  if (format == ValueFormat::kSignMagnitude) {
    threshold = mean;
    for (int step = 0; step < kLloydSteps; ++step) {
      means = means_around(magnitudes, threshold);
      if (means.highs == magnitudes.size()) break;
      threshold = (means.low + means.high) / 2;
    }
    means = means_around(magnitudes, threshold);
    levels.low = level_of(means.low);
    levels.high = level_of(means.high);
    if (means.highs < magnitudes.size() && means.highs > 0 && levels.low < levels.high) {
      for (float magnitude : magnitudes)
        levels.is_high.push_back(static_cast<double>(magnitude) >= threshold);
      return levels;
    }
  }
  levels.low = levels.high = level_of(mean);
  levels.is_high.assign(magnitudes.size(), false);
  return levels;
}

}  // namespace muster::compression
