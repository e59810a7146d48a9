// Selection of a block's largest magnitudes, and the pass before it: one implementation per instruction
// set behind one table, chosen at run time.
//
// Zeros and denormals are never selected: they carry nothing that a scale could hold. Ties go to the lower
// index. Thread safety: pure functions. Determinism: every path gives the same result.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "compression/layout.h"

namespace muster::compression {

struct Kernels {
  std::string_view name;  // "avx512", "avx2", "portable"
  // delta[i] = residual[i] · decay + delta[i], each operation rounded.
  void (*accumulate)(float* delta, const float* residual, std::size_t count, float decay);
  // Writes the indices of at most `keep` of `count` (≤ 4096) values to `selected` (room for 4096),
  // ascending. Returns how many, or kNotFinite when a value is NaN or infinite.
  std::uint32_t (*select)(const float* values, std::uint32_t count, std::uint32_t keep,
                          std::uint16_t* selected);
};

inline constexpr std::uint32_t kNotFinite = 0xffffffff;

// The best for this CPU.
[[nodiscard]] const Kernels& kernels();
// All that this CPU can run, for tests and benchmarks.
[[nodiscard]] std::span<const Kernels* const> available_kernels();

}  // namespace muster::compression
