// BlockEntries: what a payload holds of one block. Thread safety: a borrowed value.
#pragma once

#include <cstdint>
#include <span>

namespace muster::compression {

struct BlockEntries {
  std::span<const std::uint16_t> indices;  // within the block, ascending
  std::span<const float> values;           // finite, normal
  double square_norm = 0;                  // Σ values²; see docs/payload.md for its order
};

}  // namespace muster::compression
