// The parts of a model that passes read and make gradients of one after the other, so that each may come from
// elsewhere shortly before it is needed, and its gradient leave as soon as it is complete. Part 0 is the embedding, 1 to
// layers are the decoder layers, the last is the final gain and, unless it is tied to the embedding, the head.
//
// Parts of T, what products read, have
//   embedding()               [V, D], of float or T
//   attention_gain(layer), mlp_gain(layer), final_gain()   [D], fp32
//   weights(part)             there until a part after the next is expected
//   expect(part)              weights(part) will be asked for next: a hint
//   open_gradient(part)       what the pass adds the part's gradient to
//   gradient(part)            the same once more, of a part that this step's pass opened and was not done with
//   gradient_done(part)
// all of the backend's memory. Thread safety: pure functions, values.
#pragma once

#include "base/range.h"
#include "state/shape.h"

namespace muster::gpu {

[[nodiscard]] inline std::size_t part_count(const state::Shape& shape) { return shape.layers + 2; }
[[nodiscard]] inline Range part_range(const state::Shape& shape, std::size_t part) {
  if (part == 0) return {0, shape.first_layer};
  if (part <= shape.layers) return {shape.layer(part - 1), shape.layer(part)};
  return {shape.final_gain, shape.parameters};
}
// The part in which the head is, and where.
[[nodiscard]] inline std::size_t head_part(const state::Shape& shape) {
  return shape.is_tied() ? 0 : shape.layers + 1;
}
[[nodiscard]] inline std::size_t head_offset(const state::Shape& shape) { return shape.is_tied() ? 0 : shape.width; }

// All of a model in flat arrays. Gradients add to what is there.
template <class T>
struct WholeParts {
  const state::Shape& shape;
  const float* theta = nullptr;
  const T* all_weights = nullptr;  // θ itself or its rounded copy
  float* all_gradient = nullptr;

  [[nodiscard]] const float* embedding() const { return theta; }
  [[nodiscard]] const float* attention_gain(std::size_t layer) const {
    return theta + shape.layer(layer) + shape.attention_gain;
  }
  [[nodiscard]] const float* mlp_gain(std::size_t layer) const { return theta + shape.layer(layer) + shape.mlp_gain; }
  [[nodiscard]] const float* final_gain() const { return theta + shape.final_gain; }
  [[nodiscard]] const T* weights(std::size_t part) const { return all_weights + part_range(shape, part).begin; }
  void expect(std::size_t) const {}
  [[nodiscard]] float* open_gradient(std::size_t part) const { return gradient(part); }
  [[nodiscard]] float* gradient(std::size_t part) const { return all_gradient + part_range(shape, part).begin; }
  void gradient_done(std::size_t) const {}
};

}  // namespace muster::gpu
