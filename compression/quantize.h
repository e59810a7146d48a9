// Quantisation of a block's kept values: signs with one or two bf16 magnitudes.
//
// Means run serially in fp64 over ascending indices, so they are equal everywhere. Encoding what was
// decoded gives the same levels again. Thread safety: pure functions.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/bytes.h"
#include "compression/payload.h"

namespace muster::compression {

// Round to nearest, ties to even. REQUIRES: finite.
[[nodiscard]] std::uint16_t to_bf16(float value);
[[nodiscard]] float from_bf16(std::uint16_t bits);
// True for the bits of a positive, normal, finite number.
[[nodiscard]] bool is_level(std::uint16_t bits);

struct Levels {
  std::uint16_t low = 0;   // bf16; the only one for kSign
  std::uint16_t high = 0;  // kSignMagnitude; equal to low when one level is enough
  std::vector<bool> is_high;
};

// REQUIRES: `magnitudes` not empty, each normal and positive.
[[nodiscard]] Levels quantise(std::span<const float> magnitudes, ValueFormat format);

}  // namespace muster::compression
