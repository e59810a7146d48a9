#include <immintrin.h>

#include <cstdint>

#define MUSTER_KERNELS avx2
namespace muster::compression::avx2 {
namespace {

// 32 keys at a time; of the few that reach the floor, one by one. Keys are below 2^31.
std::uint32_t gather_survivors(const std::uint32_t* keys, std::uint32_t count, std::uint32_t floor,
                               std::uint32_t* survivors, std::uint16_t* indices) {
  const __m256i below = _mm256_set1_epi32(static_cast<int>(floor - 1));
  std::uint32_t reached = 0;
  for (std::uint32_t i = 0; i < count; i += 32) {
    std::uint32_t mask = 0;
    for (std::uint32_t part = 0; part < 4; ++part) {
      const __m256i key =
          _mm256_loadu_si256(reinterpret_cast<const __m256i*>(keys + i + part * 8));
      const __m256 in = _mm256_castsi256_ps(_mm256_cmpgt_epi32(key, below));
      mask |= static_cast<std::uint32_t>(_mm256_movemask_ps(in)) << (part * 8);
    }
    for (; mask != 0; mask &= mask - 1) {
      const std::uint32_t at = i + static_cast<std::uint32_t>(__builtin_ctz(mask));
      survivors[reached] = keys[at];
      indices[reached++] = static_cast<std::uint16_t>(at);
    }
  }
  return reached;
}

}  // namespace
}  // namespace muster::compression::avx2

#include "compression/select_impl.h"

namespace muster::compression {

extern const Kernels kAvx2Kernels;
const Kernels kAvx2Kernels{"avx2", avx2::accumulate, avx2::select};

}  // namespace muster::compression
