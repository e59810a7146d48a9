// Quantising what was measured, so that all that follows from a signed message is exact.
//
// Thread safety: pure functions.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>

namespace muster::verify {

// The nearest whole number to value · scale (ties to even) that Integer has on both sides of zero.
template <class Integer>
[[nodiscard]] Integer quantise(double value, double scale) {
  constexpr auto kMax = static_cast<double>(std::numeric_limits<Integer>::max());
  return static_cast<Integer>(std::clamp(std::nearbyint(value * scale), -kMax, kMax));
}

}  // namespace muster::verify
