// The algorithm of select.h, compiled once per instruction set: include after defining MUSTER_KERNELS (the
// namespace) and, in it, gather_survivors().
//
// Maxima of groups of elements give a floor that at least `keep` elements reach; what reaches it is
// gathered; among these few the exact threshold is found by bisection of the bits. Loops are written for
// the compiler to vectorise. Nothing here may be inline in another translation unit: each is compiled for
// another CPU.
#pragma once

#include <cstdint>
#include <cstring>

#include "compression/select.h"

namespace muster::compression {
namespace MUSTER_KERNELS {

constexpr std::uint32_t kInfinity = 0x7f800000, kSmallestNormal = 0x00800000;
constexpr std::uint32_t kElements = 4096;

inline std::uint32_t count_from(const std::uint32_t* keys, std::uint32_t count,
                                std::uint32_t threshold) {
  std::uint32_t reached = 0;
  for (std::uint32_t i = 0; i < count; ++i) reached += keys[i] >= threshold ? 1 : 0;
  return reached;
}

// A threshold that at least `keep` of the keys reach and not many more than `keep + slack`; the largest
// such one for no slack. REQUIRES: at least `keep` keys reach `low`, none reaches `high`.
inline std::uint32_t bisect(const std::uint32_t* keys, std::uint32_t count, std::uint32_t keep,
                            std::uint32_t slack, std::uint32_t low, std::uint32_t high) {
  while (high - low > 1) {
    const std::uint32_t middle = low + (high - low) / 2;
    const std::uint32_t reached = count_from(keys, count, middle);
    if (reached >= keep) {
      low = middle;
      if (reached <= keep + slack) break;
    } else {
      high = middle;
    }
  }
  return low;
}

// maxima[i] = the largest of keys[i], keys[i + width], …; `width` divides `count`.
inline void group_maxima(const std::uint32_t* keys, std::uint32_t count, std::uint32_t width,
                         std::uint32_t* maxima) {
  std::memcpy(maxima, keys, width * sizeof(*keys));
  for (std::uint32_t first = width; first < count; first += width)
    for (std::uint32_t i = 0; i < width; ++i)
      maxima[i] = maxima[i] > keys[first + i] ? maxima[i] : keys[first + i];
}

inline std::uint32_t largest_of(const std::uint32_t* keys, std::uint32_t count) {
  std::uint32_t largest = 0;
  for (std::uint32_t i = 0; i < count; ++i) largest = largest > keys[i] ? largest : keys[i];
  return largest;
}

// Takes what is above the exact threshold, and of what equals it the first.
inline std::uint32_t take_top(const std::uint32_t* keys, const std::uint16_t* indices,
                              std::uint32_t count, std::uint32_t keep, std::uint32_t threshold,
                              std::uint16_t* selected) {
  std::uint32_t equal = keep - count_from(keys, count, threshold + 1);
  std::uint32_t taken = 0;
  for (std::uint32_t i = 0; i < count; ++i) {
    const bool is_equal = keys[i] == threshold && equal > 0;
    selected[taken] = indices[i];
    taken += keys[i] > threshold || is_equal ? 1 : 0;
    equal -= is_equal ? 1 : 0;
  }
  return taken;
}

inline std::uint32_t select(const float* values, std::uint32_t count, std::uint32_t keep,
                            std::uint16_t* selected) {
  alignas(64) std::uint32_t keys[kElements], maxima[kElements], survivors[kElements + 16];
  alignas(64) std::uint16_t indices[kElements + 32];
  std::memcpy(keys, values, count * sizeof(float));
  const std::uint32_t padded = count <= 256 ? 256 : (count + 1023) / 1024 * 1024;
  for (std::uint32_t i = 0; i < count; ++i) keys[i] &= 0x7fffffff;
  for (std::uint32_t i = count; i < padded; ++i) keys[i] = 0;

  // A quarter of the groups hold a kept element, about: their maxima are a good floor.
  std::uint32_t width = padded;
  while (width > 256 && width / 8 >= keep && width % 2 == 0) width /= 2;
  group_maxima(keys, padded, width, maxima);
  const std::uint32_t largest = largest_of(maxima, width);
  if (largest >= kInfinity) return kNotFinite;
  if (largest < kSmallestNormal) return 0;

  std::uint32_t floor = kSmallestNormal;
  if (count_from(maxima, width, floor) > keep)
    floor = bisect(maxima, width, keep, keep / 8, floor, largest + 1);
  const std::uint32_t reached = gather_survivors(keys, padded, floor, survivors, indices);
  if (reached <= keep) {
    std::memcpy(selected, indices, reached * sizeof(*indices));
    return reached;
  }
  const std::uint32_t threshold = bisect(survivors, reached, keep, 0, floor, largest + 1);
  return take_top(survivors, indices, reached, keep, threshold, selected);
}

inline void accumulate(float* delta, const float* residual, std::size_t count, float decay) {
  for (std::size_t i = 0; i < count; ++i) delta[i] = residual[i] * decay + delta[i];
}

}  // namespace MUSTER_KERNELS
}  // namespace muster::compression
