#include "compression/quantize.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "base/check.h"
#include "compression/kernels.h"

namespace muster::compression {
namespace {

constexpr std::uint16_t kLargestLevel = 0x7f7f;
constexpr std::uint16_t kSmallestLevel = 0x0080;
constexpr int kLloydSteps = 6;
constexpr std::size_t kClassesMax = 8;

std::uint16_t level_of(double mean) {
  return std::clamp(to_bf16(static_cast<float>(mean)), kSmallestLevel, kLargestLevel);
}

// What the magnitudes are exactly, when they are at most `most` different bf16 numbers; else 0 levels.
std::size_t exact_levels(std::span<const float> magnitudes, std::size_t most, Levels& levels) {
  std::size_t count = 0;
  for (float magnitude : magnitudes) {
    const auto bits = std::bit_cast<std::uint32_t>(magnitude);
    if ((bits & 0xffff) != 0) return 0;
    const auto level = static_cast<std::uint16_t>(bits >> 16);
    const auto end = levels.begin() + static_cast<std::ptrdiff_t>(count);
    const auto place = std::lower_bound(levels.begin(), end, level);
    if (place != end && *place == level) continue;
    if (count == most) return 0;
    std::copy_backward(place, end, end + 1);
    *place = level;
    ++count;
  }
  return count;
}

// Classes between ascending thresholds; the first begins at 0. Starts by splitting at means.
class Lloyd {
 public:
  Lloyd(std::span<const float> magnitudes, unsigned bits)
      : magnitudes_(magnitudes), all_(tail_from(0)) {
    split(all_, {}, bits);
    std::sort(thresholds_.begin(), thresholds_.begin() + static_cast<std::ptrdiff_t>(count_));
    for (int step = 0; step < kLloydSteps && refine(); ++step) {
    }
  }
  // Means of the classes that are not empty, ascending. Returns how many.
  std::size_t means(std::array<double, kClassesMax>& result) const {
    std::size_t used = 0;
    Tail above = all_;
    for (std::size_t c = 0; c <= count_; ++c) {
      const Tail next = c < count_ ? tail_from(thresholds_[c]) : Tail{};
      if (above.count > next.count)
        result[used++] = (above.sum - next.sum) / (above.count - next.count);
      above = next;
    }
    return used;
  }

 private:
  Tail tail_from(float threshold) const {
    return kernels().tail(magnitudes_.data(), magnitudes_.size(), threshold);
  }
  // Of the magnitudes in [from the tail `low`, to the tail `high`).
  void split(const Tail& low, const Tail& high, unsigned bits) {
    if (bits == 0 || low.count <= high.count) return;
    const auto mean = static_cast<float>((low.sum - high.sum) / (low.count - high.count));
    thresholds_[count_++] = mean;
    const Tail middle = tail_from(mean);
    split(low, middle, bits - 1);
    split(middle, high, bits - 1);
  }
  // False when nothing changed.
  bool refine() {
    std::array<double, kClassesMax> mean{};
    const std::size_t used = means(mean);
    const auto before = thresholds_;
    const bool fewer = used - 1 < count_;
    count_ = used - 1;
    for (std::size_t c = 0; c < count_; ++c)
      thresholds_[c] = static_cast<float>((mean[c] + mean[c + 1]) / 2);
    return fewer || thresholds_ != before;
  }

  std::span<const float> magnitudes_;
  Tail all_;
  std::array<float, kClassesMax> thresholds_{};
  std::size_t count_ = 0;
};

// The smallest fp32 number that is not below `x`.
float at_least(double x) {
  const auto nearest = static_cast<float>(x);
  return static_cast<double>(nearest) >= x
             ? nearest
             : std::bit_cast<float>(std::bit_cast<std::uint32_t>(nearest) + 1);
}

// Class boundaries between levels: the middle of two, which no two different levels share.
void classify(std::span<const float> magnitudes, std::span<const std::uint16_t> levels,
              std::span<std::uint8_t> classes) {
  std::fill(classes.begin(), classes.end(), std::uint8_t{0});
  for (std::size_t c = 0; c + 1 < levels.size(); ++c) {
    const float middle = at_least((static_cast<double>(from_bf16(levels[c])) +
                                   static_cast<double>(from_bf16(levels[c + 1]))) / 2);
    for (std::size_t i = 0; i < magnitudes.size(); ++i)
      classes[i] = static_cast<std::uint8_t>(classes[i] + (magnitudes[i] >= middle ? 1 : 0));
  }
}

// Leaves out the levels that no class uses; repeats the last one behind.
Levels canonical(std::span<const std::uint16_t> levels, std::span<std::uint8_t> classes) {
  std::array<bool, kClassesMax> used{};
  for (std::uint8_t c : classes) used[c] = true;
  std::array<std::uint8_t, kClassesMax> renamed{};
  Levels result{};
  std::size_t count = 0;
  for (std::size_t c = 0; c < levels.size(); ++c) {
    if (!used[c]) continue;
    renamed[c] = static_cast<std::uint8_t>(count);
    result[count++] = levels[c];
  }
  for (std::uint8_t& c : classes) c = renamed[c];
  std::fill(result.begin() + static_cast<std::ptrdiff_t>(count), result.end(), result[count - 1]);
  return result;
}

}  // namespace

std::uint16_t to_bf16(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  return static_cast<std::uint16_t>((bits + 0x7fff + ((bits >> 16) & 1)) >> 16);
}

float from_bf16(std::uint16_t bits) { return std::bit_cast<float>(std::uint32_t{bits} << 16); }

bool is_level(std::uint16_t bits) { return bits >= kSmallestLevel && bits <= kLargestLevel; }

Levels quantise(std::span<const float> magnitudes, unsigned bits,
                std::span<std::uint8_t> classes) {
  MUSTER_CHECK(!magnitudes.empty() && bits <= 3, "nothing to quantise");
  Levels levels{};
  if (bits == 0) {
    const Tail all = kernels().tail(magnitudes.data(), magnitudes.size(), 0);
    levels.fill(level_of(all.sum / all.count));
    std::fill(classes.begin(), classes.end(), std::uint8_t{0});
    return levels;
  }
  std::size_t count = exact_levels(magnitudes, std::size_t{1} << bits, levels);
  if (count == 0) {
    std::array<double, kClassesMax> means{};
    const std::size_t used = Lloyd(magnitudes, bits).means(means);
    for (std::size_t c = 0; c < used; ++c) {
      const std::uint16_t level = level_of(means[c]);
      if (count == 0 || level > levels[count - 1]) levels[count++] = level;
    }
  }
  const std::span<const std::uint16_t> found(levels.data(), count);
  classify(magnitudes, found, classes);
  return canonical(found, classes);
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
  // In units of 2^-24 · 2^(exponent − 126): fp16 numbers below 1 have 11 significant bits and a unit no
  // smaller than that.
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
  const double units = shift == 0 ? half : std::ldexp(1024 + (half & 0x3ff), static_cast<int>(shift) - 1);
  const auto value = static_cast<float>(std::ldexp(units, static_cast<int>(exponent) - 150));
  return std::isnormal(value) ? value : 0;
}

}  // namespace muster::compression
