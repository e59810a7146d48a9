// Vectors of 16 numbers on any instruction set, by the compiler's vector extension; native vectors
// and group products for the matrix kernels. Included by the files that define MUSTER_KERNELS.
//
// Nothing here may be inline in another translation unit: each is compiled for another CPU.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "trainer/kernels/kernels.h"

namespace muster::trainer::MUSTER_KERNELS {

constexpr std::size_t kLanes = 16;
typedef float F __attribute__((vector_size(64)));
typedef std::int32_t I __attribute__((vector_size(64)));
typedef std::uint32_t U __attribute__((vector_size(64)));
typedef std::uint16_t H __attribute__((vector_size(32)));

template <class To, class From>
inline To cast(const From& value) {
  static_assert(sizeof(To) == sizeof(From));
  To to;
  std::memcpy(&to, &value, sizeof(To));
  return to;
}

inline F splat(float value) { return value - F{}; }

inline F load(const float* p) {
  F v;
  std::memcpy(&v, p, sizeof(F));
  return v;
}
inline void store(float* p, F v) { std::memcpy(p, &v, sizeof(F)); }

inline F load(const Bf16* p) {
  H halves;
  std::memcpy(&halves, p, sizeof(H));
  return cast<F>(__builtin_convertvector(halves, U) << 16);
}
#if defined(__AVX512BF16__)
inline H to_halves(F v) { return cast<H>(_mm512_cvtneps_pbh(cast<__m512>(v))); }
inline void store(Bf16* p, F v) {
  const H halves = to_halves(v);
  std::memcpy(static_cast<void*>(p), &halves, sizeof(H));
}
#endif

// The first `count` of 16 numbers; the rest is 0, or stays as it was.
template <class T>
inline F load_part(const T* p, std::size_t count) {
  T buffer[kLanes] = {};
  std::memcpy(static_cast<void*>(buffer), p, count * sizeof(T));
  return load(buffer);
}
template <class T>
inline void store_part(T* p, F v, std::size_t count) {
  T buffer[kLanes];
  store(buffer, v);
  std::memcpy(static_cast<void*>(p), buffer, count * sizeof(T));
}

// whole(offset) for each vector in [0, count), part(offset, rest) for what remains.
template <class Whole, class Part>
inline void each_vector(std::size_t count, const Whole& whole, const Part& part) {
  std::size_t i = 0;
  for (; i + kLanes <= count; i += kLanes) whole(i);
  if (i < count) part(i, count - i);
}

inline float sum(F v) {
  float lanes[kLanes];
  store(lanes, v);
  for (std::size_t step = kLanes / 2; step > 0; step /= 2)
    for (std::size_t i = 0; i < step; ++i) lanes[i] += lanes[i + step];
  return lanes[0];
}
inline F larger(F a, F b) { return a > b ? a : b; }
inline float largest(F v) {
  float lanes[kLanes];
  store(lanes, v);
  for (std::size_t step = kLanes / 2; step > 0; step /= 2)
    for (std::size_t i = 0; i < step; ++i)
      lanes[i] = lanes[i] > lanes[i + step] ? lanes[i] : lanes[i + step];
  return lanes[0];
}

// e^x within 2 units in the last place for x in [−87, 88]; 0 is approached, never reached, below; a
// NaN stays one. Cody-Waite reduction, Taylor-like polynomial of degree 6 (Cephes' expf).
inline F exponential(F x) {
  x = x < -87.0f ? splat(-87.0f) : x;
  x = x > 88.0f ? splat(88.0f) : x;
  const F magic = splat(12582912.0f);  // 1.5 · 2^23: adding it rounds to an integer
  const F shifted = x * 1.44269504088896341f + magic;
  const F n = shifted - magic;
  const F r = (x - n * 0.693359375f) + n * 2.12194440e-4f;
  F p = splat(1.9875691500e-4f);
  p = p * r + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  p = p * r * r + r + 1.0f;
  return cast<F>(cast<I>(p) + (cast<I>(shifted) << 23));
}

// 0, 1, …, 15.
inline I lane_numbers() { return I{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}; }
// The first `count` lanes of v, 0 in the others.
inline F first_lanes(F v, std::size_t count) {
  return lane_numbers() < static_cast<std::int32_t>(count) ? v : F{};
}

// 1 / x; where results are rounded to bf16, to 14 bits.
template <class T>
inline F reciprocal(F x) {
#if defined(__AVX512F__)
  if constexpr (sizeof(T) == 2) return cast<F>(_mm512_rcp14_ps(cast<__m512>(x)));
#endif
  return 1.0f / x;
}

// What one register holds, and how many of them a tile of a product is wide.
#if defined(__AVX512F__)
typedef float N __attribute__((vector_size(64)));
constexpr std::size_t kTileVectors = 4;
#elif defined(__AVX2__)
typedef float N __attribute__((vector_size(32)));
constexpr std::size_t kTileVectors = 2;
#else
typedef float N __attribute__((vector_size(16)));
constexpr std::size_t kTileVectors = 2;
#endif
constexpr std::size_t kNativeLanes = sizeof(N) / 4;

// acc + the products of a word of a and the words of b.
template <class T>
inline N add_product(N acc, std::uint32_t word, const std::uint32_t* words) {
#if defined(__AVX512BF16__)
  if constexpr (sizeof(T) == 2) {
    const __m512i b = _mm512_loadu_si512(words);
    return cast<N>(_mm512_dpbf16_ps(cast<__m512>(acc), cast<__m512bh>(b),
                                    cast<__m512bh>(_mm512_set1_epi32(static_cast<int>(word)))));
  }
#endif
  N b;
  std::memcpy(&b, words, sizeof(N));
  float a;
  std::memcpy(&a, &word, sizeof(a));
  return acc + b * a;
}

}  // namespace muster::trainer::MUSTER_KERNELS
