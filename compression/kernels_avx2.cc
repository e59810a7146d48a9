#include <immintrin.h>

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

#define MUSTER_KERNELS avx2
namespace muster::compression::avx2 {
namespace {

__m256i key8(const float* values) {
  const __m256i bits = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(values));
  return _mm256_and_si256(bits, _mm256_set1_epi32(0x7fffffff));
}
__m256i load8(const std::int32_t* keys) {
  return _mm256_load_si256(reinterpret_cast<const __m256i*>(keys));
}
// Keys are at least 0, so one below a threshold compares as "at or above" it.
__m256i reaches8(__m256i key, std::int32_t threshold) {
  return _mm256_cmpgt_epi32(key, _mm256_set1_epi32(threshold - 1));
}

void group_maxima(const float* values, std::uint32_t count, std::uint32_t width,
                  std::int32_t* maxima) {
  for (std::uint32_t i = 0; i < width; i += 32) {
    __m256i best[4];
    for (std::uint32_t part = 0; part < 4; ++part) best[part] = key8(values + i + part * 8);
    for (std::uint32_t first = width; first < count; first += width)
      for (std::uint32_t part = 0; part < 4; ++part)
        best[part] = _mm256_max_epi32(best[part], key8(values + first + i + part * 8));
    for (std::uint32_t part = 0; part < 4; ++part)
      _mm256_store_si256(reinterpret_cast<__m256i*>(maxima + i + part * 8), best[part]);
  }
}

std::uint32_t count_from(const std::int32_t* keys, std::uint32_t count, std::int32_t threshold) {
  __m256i a = _mm256_setzero_si256(), b = a;
  for (std::uint32_t i = 0; i < count; i += 16) {
    a = _mm256_sub_epi32(a, reaches8(load8(keys + i), threshold));
    b = _mm256_sub_epi32(b, reaches8(load8(keys + i + 8), threshold));
  }
  a = _mm256_add_epi32(a, b);
  __m128i sum = _mm_add_epi32(_mm256_castsi256_si128(a), _mm256_extracti128_si256(a, 1));
  sum = _mm_add_epi32(sum, _mm_shuffle_epi32(sum, 0x4e));
  sum = _mm_add_epi32(sum, _mm_shuffle_epi32(sum, 0xb1));
  return static_cast<std::uint32_t>(_mm_cvtsi128_si32(sum));
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
  for (unsigned part = 0; part < 8; ++part) {
    const __m256i in = reaches8(key8(values + part * 8), threshold);
    const auto bits = static_cast<std::uint32_t>(_mm256_movemask_ps(_mm256_castsi256_ps(in)));
    mask |= std::uint64_t{bits} << (part * 8);
  }
  return mask;
}

std::uint32_t append_bits(std::uint64_t bits, std::uint32_t first, std::uint16_t* indices) {
  const auto count = static_cast<std::uint32_t>(std::popcount(bits));
  for (std::uint32_t done = 0; done < count; done += 4) {
    for (std::uint32_t i = 0; i < 4; ++i, bits &= bits - 1)
      indices[done + i] =
          static_cast<std::uint16_t>(first + static_cast<std::uint32_t>(std::countr_zero(bits)));
  }
  return count;
}

double lane_sums(const float* magnitudes, std::size_t count, float threshold, double* lanes) {
  __m256d low = _mm256_setzero_pd(), high = low;
  std::uint32_t reached = 0;
  const __m256 least = _mm256_set1_ps(threshold);
  for (std::size_t i = 0; i < count; i += 8) {
    const __m256 value = _mm256_loadu_ps(magnitudes + i);
    const __m256 in = _mm256_cmp_ps(value, least, _CMP_GE_OQ);
    const __m256 kept = _mm256_and_ps(value, in);
    low = _mm256_add_pd(low, _mm256_cvtps_pd(_mm256_castps256_ps128(kept)));
    high = _mm256_add_pd(high, _mm256_cvtps_pd(_mm256_extractf128_ps(kept, 1)));
    reached += static_cast<std::uint32_t>(
        std::popcount(static_cast<std::uint32_t>(_mm256_movemask_ps(in))));
  }
  _mm256_storeu_pd(lanes, low);
  _mm256_storeu_pd(lanes + 4, high);
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
}  // namespace muster::compression::avx2

#include "compression/kernels_impl.h"

namespace muster::compression {

extern const Kernels kAvx2Kernels;
const Kernels kAvx2Kernels{"avx2", avx2::accumulate, avx2::select, avx2::indices_of, avx2::tail};

}  // namespace muster::compression
