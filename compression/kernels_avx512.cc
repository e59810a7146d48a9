#include <immintrin.h>

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

#define MUSTER_KERNELS avx512
namespace muster::compression::avx512 {
namespace {

__m512i key16(const float* values) {
  return _mm512_and_si512(_mm512_loadu_si512(values), _mm512_set1_epi32(0x7fffffff));
}

void group_maxima(const float* values, std::uint32_t count, std::uint32_t width,
                  std::int32_t* maxima) {
  for (std::uint32_t i = 0; i < width; i += 64) {
    __m512i best[4];
    for (std::uint32_t part = 0; part < 4; ++part) best[part] = key16(values + i + part * 16);
    for (std::uint32_t first = width; first < count; first += width)
      for (std::uint32_t part = 0; part < 4; ++part)
        best[part] = _mm512_max_epi32(best[part], key16(values + first + i + part * 16));
    for (std::uint32_t part = 0; part < 4; ++part)
      _mm512_store_si512(maxima + i + part * 16, best[part]);
  }
}

std::uint32_t count_from(const std::int32_t* keys, std::uint32_t count, std::int32_t threshold) {
  const __m512i least = _mm512_set1_epi32(threshold), one = _mm512_set1_epi32(1);
  __m512i reached = _mm512_setzero_si512();
  for (std::uint32_t i = 0; i < count; i += 16) {
    const __mmask16 in = _mm512_cmpge_epi32_mask(_mm512_load_si512(keys + i), least);
    reached = _mm512_mask_add_epi32(reached, in, reached, one);
  }
  return static_cast<std::uint32_t>(_mm512_reduce_add_epi32(reached));
}

void take_from(const std::int32_t* keys, const std::uint16_t* indices, std::uint32_t count,
               std::int32_t threshold, std::uint16_t* selected) {
  const __m512i least = _mm512_set1_epi32(threshold);
  for (std::uint32_t i = 0; i < count; i += 16) {
    const __mmask16 in = _mm512_cmpge_epi32_mask(_mm512_load_si512(keys + i), least);
    const __m256i index = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(indices + i));
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(selected),
                        _mm256_maskz_compress_epi16(in, index));
    selected += std::popcount(static_cast<std::uint32_t>(in));
  }
}

std::uint64_t mask_from(const float* values, std::int32_t threshold) {
  const __m512i least = _mm512_set1_epi32(threshold);
  std::uint64_t mask = 0;
  for (unsigned part = 0; part < 4; ++part)
    mask |= std::uint64_t{_mm512_cmpge_epi32_mask(key16(values + part * 16), least)} << (part * 16);
  return mask;
}

std::uint32_t append_bits(std::uint64_t bits, std::uint32_t first, std::uint16_t* indices) {
  alignas(64) static constexpr std::uint8_t kPlaces[64] = {
      0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21,
      22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43,
      44, 45, 46, 47, 48, 49, 50, 51, 52, 53, 54, 55, 56, 57, 58, 59, 60, 61, 62, 63};
  const __m512i places = _mm512_maskz_compress_epi8(bits, _mm512_load_si512(kPlaces));
  const __m512i base = _mm512_set1_epi16(static_cast<std::int16_t>(first));
  const __m512i low = _mm512_cvtepu8_epi16(_mm512_castsi512_si256(places));
  _mm512_storeu_si512(indices, _mm512_add_epi16(low, base));
  const auto count = static_cast<std::uint32_t>(std::popcount(bits));
  if (count > 32) {
    const __m512i high = _mm512_cvtepu8_epi16(_mm512_extracti64x4_epi64(places, 1));
    _mm512_storeu_si512(indices + 32, _mm512_add_epi16(high, base));
  }
  return count;
}

double lane_sums(const float* magnitudes, std::size_t count, float threshold, double* lanes) {
  const __m256 least = _mm256_set1_ps(threshold);
  __m512d sums = _mm512_setzero_pd();
  std::uint32_t reached = 0;
  for (std::size_t i = 0; i < count; i += 8) {
    const __m256 value = _mm256_loadu_ps(magnitudes + i);
    const __mmask8 in = _mm256_cmp_ps_mask(value, least, _CMP_GE_OQ);
    sums = _mm512_add_pd(sums, _mm512_maskz_cvtps_pd(in, value));
    reached += static_cast<std::uint32_t>(std::popcount(static_cast<std::uint32_t>(in)));
  }
  _mm512_storeu_pd(lanes, sums);
  return reached;
}

std::uint32_t indices_of_16(const std::uint8_t* quotients, unsigned low_bits,
                            const std::uint8_t* lows, std::uint64_t bit, std::uint32_t next,
                            std::uint16_t* indices) {
  std::uint64_t words[2];
  std::memcpy(&words[0], lows + bit / 8, 8);
  std::memcpy(&words[1], lows + bit / 8 + low_bits, 8);
  // Eight numbers of each word, a byte each.
  const __m128i places = _mm_set1_epi64x(static_cast<long long>(
      0x0706050403020100u * std::uint64_t{low_bits} + 0x0101010101010101u * (bit % 8)));
  const __m128i raw =
      _mm_multishift_epi64_epi8(places, _mm_loadu_si128(reinterpret_cast<const __m128i*>(words)));
  const __m128i low = _mm_and_si128(raw, _mm_set1_epi8(static_cast<char>((1u << low_bits) - 1)));
  const __m512i quotient =
      _mm512_cvtepu8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(quotients)));
  __m512i sum =
      _mm512_or_si512(_mm512_sll_epi32(quotient, _mm_cvtsi32_si128(static_cast<int>(low_bits))),
                      _mm512_cvtepu8_epi32(low));
  const __m512i zero = _mm512_setzero_si512(), one = _mm512_set1_epi32(1);
  sum = _mm512_add_epi32(sum, one);
  sum = _mm512_add_epi32(sum, _mm512_alignr_epi32(sum, zero, 15));
  sum = _mm512_add_epi32(sum, _mm512_alignr_epi32(sum, zero, 14));
  sum = _mm512_add_epi32(sum, _mm512_alignr_epi32(sum, zero, 12));
  sum = _mm512_add_epi32(sum, _mm512_alignr_epi32(sum, zero, 8));
  sum = _mm512_add_epi32(sum, _mm512_set1_epi32(static_cast<int>(next)));
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(indices),
                      _mm512_cvtepi32_epi16(_mm512_sub_epi32(sum, one)));
  return static_cast<std::uint32_t>(_mm_extract_epi32(_mm512_extracti32x4_epi32(sum, 3), 3));
}

}  // namespace
}  // namespace muster::compression::avx512

#include "compression/kernels_impl.h"

namespace muster::compression {

extern const Kernels kAvx512Kernels;
const Kernels kAvx512Kernels{"avx512", avx512::accumulate, avx512::select, avx512::indices_of,
                             avx512::tail};

}  // namespace muster::compression
