// The parts of a model that a pass works on one after the other: 0 is the embedding, 1 to layers
// are the decoder layers, the last is the final gain and, unless it is tied to the embedding, the
// head. Thread safety: pure functions.
#pragma once

#include "base/range.h"
#include "state/shape.h"

namespace muster::state {

[[nodiscard]] inline std::size_t part_count(const Shape& shape) { return shape.layers + 2; }
// Of the flat parameters.
[[nodiscard]] inline Range part_range(const Shape& shape, std::size_t part) {
  if (part == 0) return {0, shape.first_layer};
  if (part <= shape.layers) return {shape.layer(part - 1), shape.layer(part)};
  return {shape.final_gain, shape.parameters};
}
// The part in which the head is, and where.
[[nodiscard]] inline std::size_t head_part(const Shape& shape) {
  return shape.is_tied() ? 0 : shape.layers + 1;
}
[[nodiscard]] inline std::size_t head_offset(const Shape& shape) {
  return shape.is_tied() ? 0 : shape.width;
}

}  // namespace muster::state
