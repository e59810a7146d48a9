// Kernels: the passes over a block that cost the time, one implementation per instruction set
// behind one table, chosen at run time.
//
// Thread safety: pure functions. Determinism: every implementation gives the same bits.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "compression/layout.h"
#include "compression/lloyd.h"

namespace muster::compression {

struct Kernels {
  std::string_view name;  // "avx512", "avx2", "portable"
  // delta[i] = residual[i] · decay + delta[i], each operation rounded.
  void (*accumulate)(float* delta, const float* residual, std::size_t count, float decay);
  // The largest magnitudes: writes the indices of at most `keep` of `count` (≤ 4096) values to
  // `selected` (room for 4112), ascending. Ties go to the lower index. Zeros and denormals are
  // never selected: they carry nothing that a scale could hold. Returns how many, or kNotFinite
  // when a value is NaN or infinite.
  std::uint32_t (*select)(const float* values, std::uint32_t count, std::uint32_t keep,
                          std::uint16_t* selected);
  // Indices from gaps: indices[i] = gaps[0] + 1 + … + gaps[i], modulo 2^16, where a gap is a
  // quotient and `low_bits` raw bits, bit plane `lows` of `low_bytes` bytes from bit `bit` on.
  // Returns indices[count − 1]
  // + 1 in full; 0 for no gaps. REQUIRES: low_bits ≤ 10, lows reaching to bit + count · low_bits.
  std::uint32_t (*indices_of)(const std::uint8_t* quotients, std::uint32_t count, unsigned low_bits,
                              const std::uint8_t* lows, std::uint64_t low_bytes, std::uint64_t bit,
                              std::uint16_t* indices);
  // Of `count` numbers, none NaN. The sum is of eight interleaved fp64 lanes, added as a tree.
  Tail (*tail)(const float* magnitudes, std::size_t count, float threshold);
};

inline constexpr std::uint32_t kNotFinite = 0xffffffff;

// The best for this CPU.
[[nodiscard]] const Kernels& kernels();
// All that this CPU can run, for tests and benchmarks.
[[nodiscard]] std::span<const Kernels* const> available_kernels();

}  // namespace muster::compression
