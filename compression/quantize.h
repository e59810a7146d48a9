// Quantisation of a block's kept values: a sign and one of up to eight bf16 magnitudes, or scaled
// fp16.
//
// Means are fp64 sums of eight interleaved lanes, added as a tree, so they are equal on every path.
// Encoding what was decoded gives the same content again. Thread safety: pure functions.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "compression/lloyd.h"

namespace muster::compression {

// True for the bits of a positive, normal, finite number.
[[nodiscard]] bool is_level(std::uint16_t bits);

// Lloyd's levels for `magnitudes`, 2^bits of them (bits 0…3), and which of them each magnitude is.
// REQUIRES: magnitudes not empty, each normal and positive; classes of the same size.
[[nodiscard]] Levels quantise(std::span<const float> magnitudes, unsigned bits,
                              std::span<std::uint8_t> classes);

// How often each class occurs.
[[nodiscard]] std::array<std::uint32_t, 8> count_classes(std::span<const std::uint8_t> classes);

// fp16 with an exponent per block: magnitude = mantissa · 2^(exponent − 126), the largest in [½,
// 1).
[[nodiscard]] std::uint32_t block_exponent(float largest);  // 1..254
[[nodiscard]] std::uint16_t to_scaled_half(float magnitude, std::uint32_t exponent);
// 0 for what is no positive, normal fp32 number.
[[nodiscard]] float from_scaled_half(std::uint16_t half, std::uint32_t exponent);

}  // namespace muster::compression
