// The Llama-style decoder over one flat parameter tensor, by autograd.
//
// Shapes: B sequences, T positions, D model width, H heads, K key/value heads, F feed-forward
// width. Conventions of Hugging Face's LlamaForCausalLM (rotate-half RoPE). Thread safety: forward
// passes are const; LibTorch's own threads apply.
#pragma once

#include <ATen/ATen.h>

#include "state/model_spec.h"

namespace muster::trainer {

class Model {
 public:
  explicit Model(const state::ModelSpec& spec);

  // flat_P, tokens_BT -> logits_BTV, in flat's type.
  [[nodiscard]] at::Tensor logits(const at::Tensor& flat, const at::Tensor& tokens) const;
  // flat_P, sequences_B(T+1) -> mean loss of each sequence in nats per token, fp32, shape B.
  [[nodiscard]] at::Tensor losses(const at::Tensor& flat, const at::Tensor& sequences) const;

  [[nodiscard]] const state::ModelSpec& spec() const { return spec_; }
  [[nodiscard]] std::int64_t parameters() const { return parameters_; }

 private:
  struct Rotary {
    at::Tensor cos, sin;  // [T, D/H]
  };
  [[nodiscard]] Rotary rotary(std::int64_t positions, at::ScalarType type) const;
  [[nodiscard]] at::Tensor attention(const at::Tensor& x_BTD, const at::Tensor& qkv,
                                     const at::Tensor& out, const Rotary& rotary) const;

  state::ModelSpec spec_;
  std::vector<std::int64_t> sizes_;  // of the pieces that the forward pass uses, in order
  std::int64_t parameters_ = 0;
  at::Tensor inverse_frequencies_;
};

}  // namespace muster::trainer
