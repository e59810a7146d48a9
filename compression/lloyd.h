// Lloyd's levels of a block's magnitudes, whoever adds the magnitudes up: a CPU's kernels or a team
// of a card's threads. One source for both, so that both get the same bits.
//
// `Tails` is a callable: tails(threshold) gives sum and count of the magnitudes at or above the
// threshold, the sum of eight interleaved fp64 lanes, added as a tree. Everything is constexpr,
// which is what a compiler for cards needs to run it there. Thread safety: pure functions, values.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace muster::compression {

// Sum and count of the magnitudes at or above a threshold.
struct Tail {
  double sum = 0;
  double count = 0;
};

// Magnitudes of one block: ascending, each used at least once, in canonical order; behind the last
// one that is used it is repeated.
using Levels = std::array<std::uint16_t, 8>;  // bf16

inline constexpr std::size_t kClassesMax = 8;
inline constexpr std::uint16_t kSmallestLevel = 0x0080, kLargestLevel = 0x7f7f;

// Round to nearest, ties to even. REQUIRES: finite.
[[nodiscard]] constexpr std::uint16_t to_bf16(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  return static_cast<std::uint16_t>((bits + 0x7fff + ((bits >> 16) & 1)) >> 16);
}
[[nodiscard]] constexpr float from_bf16(std::uint16_t bits) {
  return std::bit_cast<float>(std::uint32_t{bits} << 16);
}

// The level that stands for magnitudes of this mean.
[[nodiscard]] constexpr std::uint16_t level_of(double mean) {
  const std::uint16_t level = to_bf16(static_cast<float>(mean));
  return level < kSmallestLevel ? kSmallestLevel : level > kLargestLevel ? kLargestLevel : level;
}

struct FoundLevels {
  Levels levels{};  // ascending, different
  std::size_t count = 0;
};

// What the magnitudes are exactly, when they are at most `most` different bf16 numbers; else 0
// levels.
[[nodiscard]] constexpr FoundLevels exact_levels(const float* magnitudes, std::size_t count,
                                                 std::size_t most) {
  FoundLevels found;
  for (std::size_t i = 0; i < count; ++i) {
    const auto bits = std::bit_cast<std::uint32_t>(magnitudes[i]);
    if ((bits & 0xffff) != 0) return {};
    const auto level = static_cast<std::uint16_t>(bits >> 16);
    std::size_t place = found.count;
    while (place > 0 && found.levels[place - 1] >= level) --place;
    if (place < found.count && found.levels[place] == level) continue;
    if (found.count == most) return {};
    for (std::size_t j = found.count; j > place; --j) found.levels[j] = found.levels[j - 1];
    found.levels[place] = level;
    ++found.count;
  }
  return found;
}

// 2^kBits classes between ascending thresholds; the first begins at 0. Starts by splitting at
// means.
template <unsigned kBits, class Tails>
class Lloyd {
 public:
  static constexpr int kSteps = 6;

  constexpr explicit Lloyd(const Tails& tails) : tails_(tails), all_(tails(0)) {
    split<kBits>(all_, {});
    for (std::size_t i = 1; i < count_; ++i)
      for (std::size_t j = i; j > 0 && thresholds_[j] < thresholds_[j - 1]; --j) {
        const float larger = thresholds_[j - 1];
        thresholds_[j - 1] = thresholds_[j];
        thresholds_[j] = larger;
      }
    for (int step = 0; step < kSteps && refine(); ++step) {
    }
  }

  // The levels of the classes that are not empty.
  [[nodiscard]] constexpr FoundLevels levels() const {
    const Means mean = means();
    FoundLevels found;
    for (std::size_t c = 0; c < mean.count; ++c) {
      const std::uint16_t level = level_of(mean.of[c]);
      if (found.count == 0 || level > found.levels[found.count - 1])
        found.levels[found.count++] = level;
    }
    return found;
  }

 private:
  static constexpr std::size_t kClasses = std::size_t{1} << kBits;

  struct Means {
    std::array<double, kClasses> of{};
    std::size_t count = 0;
  };
  // Of the classes that are not empty, ascending.
  [[nodiscard]] constexpr Means means() const {
    Means result;
    Tail above = all_;
    for (std::size_t c = 0; c <= count_; ++c) {
      const Tail next = c < count_ ? tails_(thresholds_[c]) : Tail{};
      if (above.count > next.count)
        result.of[result.count++] = (above.sum - next.sum) / (above.count - next.count);
      above = next;
    }
    return result;
  }
  // Of the magnitudes in [from the tail `low`, to the tail `high`).
  template <unsigned kSplits>
  constexpr void split(const Tail& low, const Tail& high) {
    if constexpr (kSplits > 0) {
      if (low.count <= high.count) return;
      const auto mean = static_cast<float>((low.sum - high.sum) / (low.count - high.count));
      thresholds_[count_++] = mean;
      const Tail middle = tails_(mean);
      split<kSplits - 1>(low, middle);
      split<kSplits - 1>(middle, high);
    }
  }
  // False when nothing changed.
  constexpr bool refine() {
    const Means mean = means();
    const auto before = thresholds_;
    const bool fewer = mean.count - 1 < count_;
    count_ = mean.count - 1;
    for (std::size_t c = 0; c < count_; ++c)
      thresholds_[c] = static_cast<float>((mean.of[c] + mean.of[c + 1]) / 2);
    bool changed = fewer;
    for (std::size_t c = 0; c + 1 < kClasses; ++c) changed = changed || thresholds_[c] != before[c];
    return changed;
  }

  const Tails& tails_;
  Tail all_;
  std::array<float, kClasses - 1> thresholds_{};
  std::size_t count_ = 0;
};

// Lloyd's levels, or what the magnitudes are exactly.
template <unsigned kBits, class Tails>
[[nodiscard]] constexpr FoundLevels find_levels(const float* magnitudes, std::size_t count,
                                                const Tails& tails) {
  if constexpr (kBits == 0) {
    const Tail all = tails(0);
    return {{level_of(all.sum / all.count)}, 1};
  } else {
    const FoundLevels exact = exact_levels(magnitudes, count, std::size_t{1} << kBits);
    return exact.count > 0 ? exact : Lloyd<kBits, Tails>(tails).levels();
  }
}

// The smallest fp32 number that is not below `x`.
[[nodiscard]] constexpr float at_least(double x) {
  const auto nearest = static_cast<float>(x);
  return static_cast<double>(nearest) >= x
             ? nearest
             : std::bit_cast<float>(std::bit_cast<std::uint32_t>(nearest) + 1);
}

// Where the class above level `c` begins: the middle of two levels, which no two different levels
// share.
[[nodiscard]] constexpr float middle_above(const FoundLevels& found, std::size_t c) {
  return at_least((static_cast<double>(from_bf16(found.levels[c])) +
                   static_cast<double>(from_bf16(found.levels[c + 1]))) /
                  2);
}

struct CanonicalLevels {
  Levels levels{};
  std::array<std::uint8_t, kClassesMax> renamed{};  // the place in `levels` of each level found
};

// Leaves out the levels that no class uses (bit c of `used`); repeats the last one behind.
[[nodiscard]] constexpr CanonicalLevels canonical(const FoundLevels& found, std::uint32_t used) {
  CanonicalLevels result;
  std::size_t count = 0;
  for (std::size_t c = 0; c < found.count; ++c) {
    if ((used >> c & 1) == 0) continue;
    result.renamed[c] = static_cast<std::uint8_t>(count);
    result.levels[count++] = found.levels[c];
  }
  for (std::size_t c = count; c < kClassesMax; ++c) result.levels[c] = result.levels[count - 1];
  return result;
}

}  // namespace muster::compression
