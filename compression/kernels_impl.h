// The algorithms of kernels.h, compiled once per instruction set: include after defining
// MUSTER_KERNELS (the namespace) and, in it, what they are made of:
//
//   group_maxima(values, count, width, maxima)   maxima[i] = the largest key of values[i], values[i
//   + width], … count_from(keys, count, threshold)           how many of `count` keys, a multiple
//   of 16, reach it take_from(keys, indices, count, threshold, selected)   the indices of the keys
//   that reach it; count as
//                                                above, may write 16 behind the last
//   mask_from(values, threshold)                 a bit for each of 64 values: whether its key
//   reaches it append_bits(bits, first, indices)            writes first + the place of each bit;
//   may write 64 places lane_sums(magnitudes, count, threshold, lanes)   see tail(); count a
//   multiple of 8 indices_of_16(quotients, low_bits, lows, bit, next, indices)   see indices_of():
//   the next 16, from index
//                                                `next` on; low_bits ≤ 7, 16 bytes from lows + bit
//                                                / 8 on
//
// The key of a value is its magnitude's bits, which order as the magnitudes do and are at least 0.
// Nothing here may be inline in another translation unit: each is compiled for another CPU.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>

#include "compression/kernels.h"

namespace muster::compression {
namespace MUSTER_KERNELS {

constexpr std::int32_t kInfinity = 0x7f800000, kSmallestNormal = 0x00800000;
constexpr std::uint32_t kElements = 4096;

inline std::int32_t key_of(float value) { return std::bit_cast<std::int32_t>(value) & 0x7fffffff; }

struct Threshold {
  std::int32_t key;
  std::uint32_t reached;  // how many keys reach it
};

// A threshold that at least `keep` of the keys reach and not many more than `keep + slack`; with no
// slack, the largest that `keep` reach or one that exactly `keep` do. REQUIRES: at least `keep`
// keys reach `low`, none reaches `high`.
inline Threshold bisect(const std::int32_t* keys, std::uint32_t count, std::uint32_t keep,
                        std::uint32_t slack, Threshold low, std::int32_t high) {
  while (high - low.key > 1 && low.reached > keep + slack) {
    const std::int32_t middle = low.key + (high - low.key) / 2;
    const std::uint32_t reached = count_from(keys, count, middle);
    if (reached >= keep) {
      low = {middle, reached};
    } else {
      high = middle;
    }
  }
  return low;
}

struct Range {
  std::int32_t smallest, largest;
};

inline Range range_of(const std::int32_t* keys, std::uint32_t count) {
  std::int32_t smallest = keys[0], largest = keys[0];
  for (std::uint32_t i = 0; i < count; ++i) {
    smallest = smallest < keys[i] ? smallest : keys[i];
    largest = largest > keys[i] ? largest : keys[i];
  }
  return {smallest, largest};
}

// Takes what is above the threshold, and of what equals it the first.
inline std::uint32_t take_tied(const std::int32_t* keys, const std::uint16_t* indices,
                               std::uint32_t count, std::uint32_t keep, std::int32_t threshold,
                               std::uint16_t* selected) {
  std::uint32_t equal = keep, taken = 0;
  for (std::uint32_t i = 0; i < count; ++i) equal -= keys[i] > threshold ? 1 : 0;
  for (std::uint32_t i = 0; i < count; ++i) {
    const bool is_equal = keys[i] == threshold && equal > 0;
    if (keys[i] > threshold || is_equal) selected[taken++] = indices[i];
    equal -= is_equal ? 1 : 0;
  }
  return taken;
}

// Maxima of groups give a floor that at least `keep` elements reach; what reaches it is collected;
// among these few the exact threshold is found by bisection of the bits. `count`: 256 or a multiple
// of 1024.
inline std::uint32_t select_whole(const float* values, std::uint32_t count, std::uint32_t keep,
                                  std::uint16_t* selected) {
  alignas(64) std::int32_t keys[kElements];
  alignas(64) std::uint16_t indices[kElements + 64];
  // A quarter of the groups hold a kept element, about: their maxima are a good floor.
  std::uint32_t width = count;
  while (width > 256 && width / 8 >= keep && width % 2 == 0) width /= 2;
  group_maxima(values, count, width, keys);
  const auto [smallest, largest] = range_of(keys, width);
  if (largest >= kInfinity) return kNotFinite;
  if (largest < kSmallestNormal) return 0;

  std::int32_t floor = smallest > kSmallestNormal ? smallest : kSmallestNormal;
  if (const std::uint32_t groups = count_from(keys, width, floor); groups > keep)
    floor = bisect(keys, width, keep, keep / 8, {floor, groups}, largest + 1).key;
  std::uint32_t reached = 0;
  for (std::uint32_t first = 0; first < count; first += 64)
    reached += append_bits(mask_from(values + first, floor), first, indices + reached);
  if (reached <= keep) {
    std::memcpy(selected, indices, reached * sizeof(*indices));
    return reached;
  }
  for (std::uint32_t i = 0; i < reached; ++i) keys[i] = key_of(values[indices[i]]);
  const std::uint32_t padded = (reached + 15) / 16 * 16;
  for (std::uint32_t i = reached; i < padded; ++i) keys[i] = 0;
  const Threshold exact = bisect(keys, padded, keep, 0, {floor, reached}, largest + 1);
  if (exact.reached > keep) return take_tied(keys, indices, reached, keep, exact.key, selected);
  take_from(keys, indices, padded, exact.key, selected);
  return keep;
}

inline std::uint32_t select(const float* values, std::uint32_t count, std::uint32_t keep,
                            std::uint16_t* selected) {
  const std::uint32_t padded = count <= 256 ? 256 : (count + 1023) / 1024 * 1024;
  if (padded == count) return select_whole(values, count, keep, selected);
  alignas(64) float block[kElements];
  std::memcpy(block, values, count * sizeof(float));
  std::memset(block + count, 0, (padded - count) * sizeof(float));
  return select_whole(block, padded, keep, selected);
}

inline void accumulate(float* delta, const float* residual, std::size_t count, float decay) {
  for (std::size_t i = 0; i < count; ++i) delta[i] = residual[i] * decay + delta[i];
}

inline Tail tail(const float* magnitudes, std::size_t count, float threshold) {
  double lanes[8];
  const std::size_t whole = count / 8 * 8;
  double reached = lane_sums(magnitudes, whole, threshold, lanes);
  for (std::size_t i = whole; i < count; ++i) {
    const bool in = magnitudes[i] >= threshold;
    lanes[i - whole] += in ? static_cast<double>(magnitudes[i]) : 0.0;
    reached += in ? 1.0 : 0.0;
  }
  return {((lanes[0] + lanes[4]) + (lanes[2] + lanes[6])) +
              ((lanes[1] + lanes[5]) + (lanes[3] + lanes[7])),
          reached};
}

// The number of `width` bits at `bit`.
inline std::uint32_t bits_at(const std::uint8_t* bytes, std::uint64_t size, std::uint64_t bit,
                             unsigned width) {
  std::uint64_t word = 0;
  const std::uint64_t first = bit / 8;
  std::memcpy(&word, bytes + first, size - first < 8 ? size - first : 8);
  return static_cast<std::uint32_t>(word >> bit % 8 & ((std::uint64_t{1} << width) - 1));
}

inline std::uint32_t indices_of(const std::uint8_t* quotients, std::uint32_t count,
                                unsigned low_bits, const std::uint8_t* lows,
                                std::uint64_t low_bytes, std::uint64_t bit,
                                std::uint16_t* indices) {
  static constexpr std::uint8_t kNothing[16] = {};
  if (low_bits == 0) {
    lows = kNothing;
    low_bytes = sizeof(kNothing);
    bit = 0;
  }
  std::uint32_t next = 0, i = 0;
  for (; low_bits <= 7 && i + 16 <= count && bit / 8 + 16 <= low_bytes;
       i += 16, bit += 16 * low_bits)
    next = indices_of_16(quotients + i, low_bits, lows, bit, next, indices + i);
  for (; i < count; ++i, bit += low_bits) {
    next += std::uint32_t{quotients[i]} << low_bits | bits_at(lows, low_bytes, bit, low_bits);
    indices[i] = static_cast<std::uint16_t>(next++);
  }
  return next;
}

}  // namespace MUSTER_KERNELS
}  // namespace muster::compression
