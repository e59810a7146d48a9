#include <immintrin.h>

#include <cstdint>

#define MUSTER_KERNELS avx512
namespace muster::compression::avx512 {
namespace {

std::uint32_t gather_survivors(const std::uint32_t* keys, std::uint32_t count, std::uint32_t floor,
                               std::uint32_t* survivors, std::uint16_t* indices) {
  const __m512i least = _mm512_set1_epi32(static_cast<int>(floor));
  const __m512i step = _mm512_set1_epi32(16);
  __m512i index = _mm512_set_epi32(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0);
  std::uint32_t reached = 0;
  for (std::uint32_t i = 0; i < count; i += 16) {
    const __m512i key = _mm512_load_si512(keys + i);
    const __mmask16 in = _mm512_cmpge_epu32_mask(key, least);
    if (in != 0) {
      _mm512_storeu_si512(survivors + reached, _mm512_maskz_compress_epi32(in, key));
      _mm256_storeu_si256(reinterpret_cast<__m256i*>(indices + reached),
                          _mm512_cvtepi32_epi16(_mm512_maskz_compress_epi32(in, index)));
      reached += static_cast<std::uint32_t>(__builtin_popcount(in));
    }
    index = _mm512_add_epi32(index, step);
  }
  return reached;
}

}  // namespace
}  // namespace muster::compression::avx512

#include "compression/select_impl.h"

namespace muster::compression {

extern const Kernels kAvx512Kernels;
const Kernels kAvx512Kernels{"avx512", avx512::accumulate, avx512::select};

}  // namespace muster::compression
