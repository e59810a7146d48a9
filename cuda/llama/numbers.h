// Numbers of a card's training: fp32 and bf16, a few at a time. Compiles for cards and for the
// host.
//
// Rounding to bf16 is to nearest, ties to even. Thread safety: pure functions.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include "cuda/team.h"

#if defined(__CUDACC__)
#include <cuda_bf16.h>
#endif

namespace muster::gpu {

struct Bf16 {
  std::uint16_t bits = 0;
};

MUSTER_BOTH float to_float(float x) { return x; }
MUSTER_BOTH float to_float(Bf16 x) {
#if defined(__CUDA_ARCH__)
  return __uint_as_float(static_cast<unsigned>(x.bits) << 16);
#else
  return std::bit_cast<float>(std::uint32_t{x.bits} << 16);
#endif
}

template <class T>
MUSTER_BOTH T rounded_to(float x);
template <>
MUSTER_BOTH float rounded_to<float>(float x) {
  return x;
}
template <>
MUSTER_BOTH Bf16 rounded_to<Bf16>(float x) {
#if defined(__CUDA_ARCH__)
  return {__bfloat16_as_ushort(__float2bfloat16_rn(x))};
#else
  const std::uint32_t bits = std::bit_cast<std::uint32_t>(x);
  if ((bits & 0x7fffffff) > 0x7f800000) return {0x7fff};  // as cards do
  return {static_cast<std::uint16_t>((bits + 0x7fff + (bits >> 16 & 1)) >> 16)};
#endif
}

struct alignas(16) Words4 {
  std::uint32_t w[4];
};
struct alignas(8) Words2 {
  std::uint32_t w[2];
};
template <class Words>
MUSTER_BOTH Words load_words(const void* p) {
#if defined(__CUDA_ARCH__)
  return *static_cast<const Words*>(p);
#else
  Words words;
  std::memcpy(&words, p, sizeof(words));
  return words;
#endif
}
template <class Words>
MUSTER_BOTH void store_words(void* p, const Words& words) {
#if defined(__CUDA_ARCH__)
  *static_cast<Words*>(p) = words;
#else
  std::memcpy(p, &words, sizeof(words));
#endif
}

// So many neighbours in registers, moved 8 or 16 bytes at a time. REQUIRES of loads and stores: a
// place that is a multiple of as many numbers, in an array that begins at a multiple of 16 bytes.
template <unsigned kCount>
struct Few {
  float x[kCount];
};
inline constexpr unsigned kEight = 8, kFour = 4;

template <unsigned kCount>
MUSTER_BOTH Few<kCount> load(const float* p) {
  Few<kCount> few;
  MUSTER_UNROLL
  for (unsigned i = 0; i < kCount; i += 4) {
    const auto words = load_words<Words4>(p + i);
    MUSTER_UNROLL
    for (unsigned j = 0; j < 4; ++j) few.x[i + j] = std::bit_cast<float>(words.w[j]);
  }
  return few;
}
template <unsigned kCount>
MUSTER_BOTH Few<kCount> load(const Bf16* p) {
  using Words = std::conditional_t<kCount == 8, Words4, Words2>;
  const auto words = load_words<Words>(p);
  Few<kCount> few;
  MUSTER_UNROLL
  for (unsigned i = 0; i < kCount / 2; ++i) {
    few.x[2 * i] = std::bit_cast<float>(words.w[i] << 16);
    few.x[2 * i + 1] = std::bit_cast<float>(words.w[i] & 0xffff0000u);
  }
  return few;
}
template <unsigned kCount>
MUSTER_BOTH void store(float* p, const Few<kCount>& few) {
  MUSTER_UNROLL
  for (unsigned i = 0; i < kCount; i += 4) {
    Words4 words;
    MUSTER_UNROLL
    for (unsigned j = 0; j < 4; ++j) words.w[j] = std::bit_cast<std::uint32_t>(few.x[i + j]);
    store_words(p + i, words);
  }
}
template <unsigned kCount>
MUSTER_BOTH void store(Bf16* p, const Few<kCount>& few) {
  std::conditional_t<kCount == 8, Words4, Words2> words;
  MUSTER_UNROLL
  for (unsigned i = 0; i < kCount / 2; ++i)
    words.w[i] = static_cast<std::uint32_t>(rounded_to<Bf16>(few.x[2 * i]).bits) |
                 static_cast<std::uint32_t>(rounded_to<Bf16>(few.x[2 * i + 1]).bits) << 16;
  store_words(p, words);
}

// e^x and the like, as each side has them: results of training agree within a platform class only.
MUSTER_BOTH float exponential(float x) {
#if defined(__CUDA_ARCH__)
  return __expf(x);
#else
  return __builtin_expf(x);
#endif
}
MUSTER_BOTH float logarithm(float x) {
#if defined(__CUDA_ARCH__)
  return logf(x);
#else
  return __builtin_logf(x);
#endif
}
MUSTER_BOTH float square_root(float x) {
#if defined(__CUDA_ARCH__)
  return sqrtf(x);
#else
  return __builtin_sqrtf(x);
#endif
}

}  // namespace muster::gpu
