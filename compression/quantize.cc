#include "compression/quantize.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "base/check.h"
#include "compression/kernels.h"

namespace muster::compression {
namespace {

// Which level's class each magnitude is in.
void classify(std::span<const float> magnitudes, const FoundLevels& found,
              std::span<std::uint8_t> classes) {
  std::fill(classes.begin(), classes.end(), std::uint8_t{0});
  for (std::size_t c = 0; c + 1 < found.count; ++c) {
    const float middle = middle_above(found, c);
    for (std::size_t i = 0; i < magnitudes.size(); ++i)
      classes[i] = static_cast<std::uint8_t>(classes[i] + (magnitudes[i] >= middle ? 1 : 0));
  }
}

}  // namespace

bool is_level(std::uint16_t bits) { return bits >= kSmallestLevel && bits <= kLargestLevel; }

Levels quantise(std::span<const float> magnitudes, unsigned bits, std::span<std::uint8_t> classes) {
  MUSTER_CHECK(!magnitudes.empty() && bits <= 3, "nothing to quantise");
  const auto tails = [&](float threshold) {
    return kernels().tail(magnitudes.data(), magnitudes.size(), threshold);
  };
  const auto find = [&]<unsigned kBits>() {
    return find_levels<kBits>(magnitudes.data(), magnitudes.size(), tails);
  };
  const FoundLevels found = bits == 0   ? find.template operator()<0>()
                            : bits == 1 ? find.template operator()<1>()
                            : bits == 2 ? find.template operator()<2>()
                                        : find.template operator()<3>();
  classify(magnitudes, found, classes);
  if (found.count == 1) return canonical(found, 1).levels;
  std::uint32_t used = 0;
  for (std::uint8_t c : classes) used |= 1u << c;
  const CanonicalLevels result = canonical(found, used);
  for (std::uint8_t& c : classes) c = result.renamed[c];
  return result.levels;
}

std::array<std::uint32_t, 8> count_classes(std::span<const std::uint8_t> classes) {
  std::array<std::uint32_t, 8> counts{};
  while (!classes.empty()) {
    const std::size_t part = std::min<std::size_t>(classes.size(), 255);
    std::uint64_t bytes = 0;  // a counter each
    for (std::uint8_t c : classes.first(part)) bytes += std::uint64_t{1} << (8 * c);
    for (std::size_t c = 0; c < 8; ++c) counts[c] += bytes >> (8 * c) & 0xff;
    classes = classes.subspan(part);
  }
  return counts;
}

std::uint32_t block_exponent(float largest) { return std::bit_cast<std::uint32_t>(largest) >> 23; }

std::uint16_t to_scaled_half(float magnitude, std::uint32_t exponent) {
  // In units of 2^-24 · 2^(exponent − 126): fp16 numbers below 1 have 11 significant bits and a
  // unit no smaller than that.
  const double units = std::ldexp(static_cast<double>(magnitude), 150 - static_cast<int>(exponent));
  const int bits = std::max(0, std::ilogb(std::max(units, 1.0)) - 10);
  const double rounded = std::ldexp(std::nearbyint(std::ldexp(units, -bits)), bits);
  const double smallest = exponent < 24 ? std::ldexp(1.0, 24 - static_cast<int>(exponent)) : 1.0;
  const double kept = std::clamp(rounded, smallest, 16777216.0 - 8192.0);  // below 1
  const auto value = static_cast<std::uint32_t>(kept);
  if (value < 1024) return static_cast<std::uint16_t>(value);
  const auto shift = static_cast<std::uint32_t>(std::bit_width(value)) - 11;
  return static_cast<std::uint16_t>((shift + 1) << 10 | ((value >> shift) & 0x3ff));
}

float from_scaled_half(std::uint16_t half, std::uint32_t exponent) {
  if (half == 0 || half >= 0x3c00 || exponent == 0 || exponent > 254) return 0;
  const std::uint32_t shift = half >> 10;
  const double units =
      shift == 0 ? half : std::ldexp(1024 + (half & 0x3ff), static_cast<int>(shift) - 1);
  const auto value = static_cast<float>(std::ldexp(units, static_cast<int>(exponent) - 150));
  return std::isnormal(value) ? value : 0;
}

}  // namespace muster::compression
