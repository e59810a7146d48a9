// The parts of a model (state/model_parts.h) that passes read and make gradients of one after the
// other, so that each may come from elsewhere shortly before it is needed, and its gradient leave
// as soon as it is complete.
//
// Parts of T, what products read, have
//   embedding()               [V, D], of float or T
//   attention_gain(layer), mlp_gain(layer), final_gain()   [D], fp32
//   weights(part)             there until a part after the next is expected
//   expect(part)              weights(part) will be asked for next: a hint
//   open_gradient(part)       what the pass adds the part's gradient to
//   gradient(part)            the same once more, of a part that this step's pass opened and was
//   not done with gradient_done(part)
// all of the backend's memory. Thread safety: values.
#pragma once

#include "state/model_parts.h"

namespace muster::gpu {

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
  [[nodiscard]] const float* mlp_gain(std::size_t layer) const {
    return theta + shape.layer(layer) + shape.mlp_gain;
  }
  [[nodiscard]] const float* final_gain() const { return theta + shape.final_gain; }
  [[nodiscard]] const T* weights(std::size_t part) const {
    return all_weights + part_range(shape, part).begin;
  }
  void expect(std::size_t) const {}
  [[nodiscard]] float* open_gradient(std::size_t part) const { return gradient(part); }
  [[nodiscard]] float* gradient(std::size_t part) const {
    return all_gradient + part_range(shape, part).begin;
  }
  void gradient_done(std::size_t) const {}
};

}  // namespace muster::gpu
