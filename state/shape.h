// Shape: a ModelSpec's sizes, and where each matrix of the forward pass starts in the flat
// parameters.
//
// Neighbouring matrices that share their input count as one: q, k and v; gate and up.
// Thread safety: value.
#pragma once

#include <cstddef>

#include "state/model_spec.h"

namespace muster::state {

struct Shape {
  std::size_t layers, width, heads, kv_heads, head_width, kv_width, feed_forward, vocab, context;
  float epsilon;
  // Offsets within a layer, and of everything else.
  std::size_t attention_gain, qkv, out, mlp_gain, gate_up, down, layer_parameters;
  std::size_t first_layer, final_gain, head, parameters;

  explicit Shape(const ModelSpec& spec)
      : layers(spec.layers),
        width(spec.d_model),
        heads(spec.heads),
        kv_heads(spec.kv_heads),
        head_width(width / heads),
        kv_width(head_width * kv_heads),
        feed_forward(spec.d_ff),
        vocab(spec.vocab),
        context(spec.context),
        epsilon(spec.norm_epsilon) {
    attention_gain = 0;
    qkv = attention_gain + width;
    out = qkv + qkv_width() * width;
    mlp_gain = out + width * width;
    gate_up = mlp_gain + width;
    down = gate_up + 2 * feed_forward * width;
    layer_parameters = down + width * feed_forward;
    first_layer = vocab * width;
    final_gain = first_layer + layers * layer_parameters;
    head = spec.tied ? 0 : final_gain + width;
    parameters = final_gain + width + (spec.tied ? 0 : vocab * width);
  }

  [[nodiscard]] bool is_tied() const { return head == 0; }
  [[nodiscard]] std::size_t qkv_width() const { return width + 2 * kv_width; }
  [[nodiscard]] std::size_t layer(std::size_t index) const {
    return first_layer + index * layer_parameters;
  }
  // Numbers that a token is multiplied with, embedding look-ups excepted.
  [[nodiscard]] std::size_t matrix_parameters() const {
    return layers * (layer_parameters - 2 * width) + vocab * width;
  }
};

}  // namespace muster::state
