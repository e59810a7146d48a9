#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

#define MUSTER_KERNELS portable
namespace muster::compression::portable {
namespace {

std::int32_t magnitude(float value) { return std::bit_cast<std::int32_t>(value) & 0x7fffffff; }

void group_maxima(const float* values, std::uint32_t count, std::uint32_t width,
                  std::int32_t* maxima) {
  for (std::uint32_t i = 0; i < width; ++i) maxima[i] = magnitude(values[i]);
  for (std::uint32_t first = width; first < count; first += width) {
    for (std::uint32_t i = 0; i < width; ++i) {
      const std::int32_t key = magnitude(values[first + i]);
      maxima[i] = maxima[i] > key ? maxima[i] : key;
    }
  }
}

std::uint32_t count_from(const std::int32_t* keys, std::uint32_t count, std::int32_t threshold) {
  std::uint32_t reached = 0;
  for (std::uint32_t i = 0; i < count; ++i) reached += keys[i] >= threshold ? 1 : 0;
  return reached;
}

void take_from(const std::int32_t* keys, const std::uint16_t* indices, std::uint32_t count,
               std::int32_t threshold, std::uint16_t* selected) {
  std::uint32_t taken = 0;
  for (std::uint32_t i = 0; i < count; ++i) {
    selected[taken] = indices[i];
    taken += keys[i] >= threshold ? 1 : 0;
  }
}

std::uint64_t mask_from(const float* values, std::int32_t threshold) {
  std::uint64_t mask = 0;
  for (unsigned i = 0; i < 64; ++i) mask |= std::uint64_t{magnitude(values[i]) >= threshold} << i;
  return mask;
}

std::uint32_t append_bits(std::uint64_t bits, std::uint32_t first, std::uint16_t* indices) {
  std::uint32_t count = 0;
  for (; bits != 0; bits &= bits - 1)
    indices[count++] =
        static_cast<std::uint16_t>(first + static_cast<std::uint32_t>(std::countr_zero(bits)));
  return count;
}

double lane_sums(const float* magnitudes, std::size_t count, float threshold, double* lanes) {
  for (unsigned lane = 0; lane < 8; ++lane) lanes[lane] = 0;
  double reached = 0;
  for (std::size_t i = 0; i < count; i += 8) {
    for (unsigned lane = 0; lane < 8; ++lane) {
      const bool in = magnitudes[i + lane] >= threshold;
      lanes[lane] += in ? static_cast<double>(magnitudes[i + lane]) : 0.0;
      reached += in ? 1.0 : 0.0;
    }
  }
  return reached;
}

std::uint32_t indices_of_16(const std::uint8_t* quotients, unsigned low_bits,
                            const std::uint8_t* lows, std::uint64_t bit, std::uint32_t next,
                            std::uint16_t* indices) {
  const std::uint32_t mask = (1u << low_bits) - 1;
  for (unsigned half = 0; half < 16; half += 8, bit += 8 * low_bits) {
    std::uint64_t word;
    std::memcpy(&word, lows + bit / 8, 8);
    word >>= bit % 8;
    for (unsigned i = half; i < half + 8; ++i, word >>= low_bits) {
      next += std::uint32_t{quotients[i]} << low_bits | (static_cast<std::uint32_t>(word) & mask);
      indices[i] = static_cast<std::uint16_t>(next++);
    }
  }
  return next;
}

}  // namespace
}  // namespace muster::compression::portable

#include "compression/kernels_impl.h"

namespace muster::compression {

extern const Kernels kPortableKernels;
const Kernels kPortableKernels{"portable", portable::accumulate, portable::select,
                               portable::indices_of, portable::tail};

}  // namespace muster::compression
