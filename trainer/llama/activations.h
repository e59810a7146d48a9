// Activations: what a forward pass leaves for the backward pass, and scratch that layers share.
//
// M tokens, D width, W = D + 2 · key/value width, F feed-forward width, H heads. With recomputation
// all layers share one set of buffers and each keeps only its input. Thread safety: value.
#pragma once

#include <vector>

#include "trainer/llama/buffer.h"
#include "trainer/llama/shape.h"

namespace muster::trainer {

template <class T>
struct LayerActivations {
  Buffer<float> middle;                      // [M, D]: residual stream after attention
  Buffer<T> qkv;                             // [M, W], rotated; backward: its gradient
  Buffer<T> mixed;                           // [M, D]: attention's output
  Buffer<float> log_sum;                     // [B, H, T]
  Buffer<T> gate_up;                         // [M, 2F]; backward: its gradient
  Buffer<float> attention_scale, mlp_scale;  // [M]: of the norms
};

template <class T>
struct Activations {
  std::vector<Buffer<float>> inputs;  // layers + 1 of [M, D]: residual stream
  std::vector<LayerActivations<T>> layers;
  Buffer<T> normed, act, d_stored, d_mixed;  // [M, D], [M, F], [M, D], [M, D]
  Buffer<float> d_residual, d_normed;        // [M, D]
  Buffer<float> final_scale, token_losses;   // [M]
  Buffer<float> gain_parts;                  // one [D] per part of rows

  // `kept`: layers whose activations are kept; 1 when they are computed again.
  void reserve(const Shape& shape, std::size_t tokens, std::size_t kept,
               std::size_t gain_part_count, bool backward) {
    const std::size_t M = tokens, D = shape.width, F = shape.feed_forward;
    inputs.resize(backward ? shape.layers + 1 : 2);
    for (auto& input : inputs) input.reserve(M * D);
    if (layers.size() < kept) layers.resize(kept);
    for (auto& layer : layers) {
      layer.middle.reserve(M * D);
      layer.qkv.reserve(M * shape.qkv_width());
      layer.mixed.reserve(M * D);
      layer.log_sum.reserve(M * shape.heads);
      layer.gate_up.reserve(M * 2 * F);
      layer.attention_scale.reserve(M);
      layer.mlp_scale.reserve(M);
    }
    normed.reserve(M * D);
    act.reserve(M * F);
    final_scale.reserve(M);
    token_losses.reserve(M);
    if (!backward) return;
    d_stored.reserve(M * D);
    d_mixed.reserve(M * D);
    d_residual.reserve(M * D);
    d_normed.reserve(M * D);
    gain_parts.reserve(gain_part_count * D);
  }
};

}  // namespace muster::trainer
