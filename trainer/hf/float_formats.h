// The 16-bit floating-point numbers of model files, as the fp32 numbers that they are. Exact, also
// for subnormal numbers, infinities and NaNs. Thread safety: pure functions.
#pragma once

#include <bit>
#include <cstdint>

namespace muster::trainer {

[[nodiscard]] constexpr float float_of_bf16(std::uint16_t bits) {
  return std::bit_cast<float>(std::uint32_t{bits} << 16);
}

// IEEE binary16: a sign, 5 bits of exponent (bias 15), 10 of mantissa.
[[nodiscard]] constexpr float float_of_f16(std::uint16_t bits) {
  const std::uint32_t sign = std::uint32_t{bits} >> 15 << 31;
  const std::uint32_t exponent = bits >> 10 & 0x1fu, mantissa = bits & 0x3ffu;
  if (exponent == 0x1f) return std::bit_cast<float>(sign | 0x7f80'0000u | mantissa << 13);
  if (exponent != 0) return std::bit_cast<float>(sign | (exponent + 112) << 23 | mantissa << 13);
  const float magnitude = static_cast<float>(mantissa) * 0x1p-24f;
  return std::bit_cast<float>(sign | std::bit_cast<std::uint32_t>(magnitude));
}

}  // namespace muster::trainer
