// Bf16: the upper half of a float, as the trainer stores activations. Thread safety: pure
// functions.
#pragma once

#include <bit>
#include <cstdint>

namespace muster::trainer {

struct Bf16 {
  std::uint16_t bits = 0;
};

[[nodiscard]] inline float to_float(Bf16 value) {
  return std::bit_cast<float>(std::uint32_t{value.bits} << 16);
}

[[nodiscard]] inline float to_float(float value) { return value; }

}  // namespace muster::trainer
