// Decoder: one token after another, with the keys and values of earlier ones kept (KV cache); fp32.
//
// Thread safety: one thread at a time. Determinism: as llama.h.
#pragma once

#include <span>
#include <vector>

#include "base/team.h"
#include "model/rotary.h"
#include "trainer/kernels/kernels.h"
#include "trainer/llama/shape.h"

namespace muster::trainer {

class Decoder {
 public:
  // θ in layout_of(spec)'s order; it and the team must outlive the decoder. REQUIRES:
  // validate(spec).
  Decoder(const state::ModelSpec& spec, std::span<const float> theta, Team& team);

  // Logits [vocab] of the token after `token`; valid until the next call.
  // REQUIRES: token < vocab, position() < context.
  std::span<const float> step(std::int32_t token);
  [[nodiscard]] std::size_t position() const { return position_; }  // tokens seen
  [[nodiscard]] std::size_t context() const { return shape_.context; }
  // Forgets all tokens.
  void reset() { position_ = 0; }

 private:
  void multiply(const float* matrix, std::size_t rows, std::size_t columns, const float* x,
                float* y);
  void norm(const float* gain, const float* x, float* h);
  void attend(std::size_t layer);
  void attend_head(const float* q, const float* keys, const float* values, float* scores,
                   float* mixed) const;

  Shape shape_;
  const float* theta_;
  Team& team_;
  const Kernels<float>& kernels_;
  model::Rotary rotary_;
  std::size_t position_ = 0;
  std::vector<float> keys_, values_;  // [layers, context, kv width]
  std::vector<float> x_, h_, qkv_, mixed_, gate_up_, act_, scores_, logits_;
};

}  // namespace muster::trainer
