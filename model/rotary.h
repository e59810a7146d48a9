// Rotary: the angles of rotary embeddings (Su et al., arXiv 2104.09864), by position and pair.
//
// Frequencies are θ^(−2i/E), stretched for "llama3" scaling as in Hugging Face's
// modeling_rope_utils. Thread safety: immutable.
#pragma once

#include <vector>

#include "state/model_spec.h"

namespace muster::model {

class Rotary {
 public:
  // Angles for `positions` positions; may be more than the model's context.
  Rotary(const state::ModelSpec& spec, std::size_t positions);
  // [positions, E / 2]
  [[nodiscard]] const float* cosines(std::size_t position = 0) const {
    return cosines_.data() + position * half_;
  }
  [[nodiscard]] const float* sines(std::size_t position = 0) const {
    return sines_.data() + position * half_;
  }

 private:
  std::size_t half_;
  std::vector<float> cosines_, sines_;
};

}  // namespace muster::model
