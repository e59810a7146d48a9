// DecoderStack: the layers of a Llama between embedding and output head, forward and backward.
//
// Thread safety: one thread at a time.
#pragma once

#include <memory>
#include <span>

#include "base/team.h"
#include "model/rotary.h"
#include "trainer/kernels/kernels.h"
#include "trainer/llama/activations.h"
#include "trainer/llama/matmul.h"
#include "trainer/llama/model_parts.h"
#include "trainer/llama/shape.h"

namespace muster::trainer {

// Sequences of equal length, their tokens one after the other with `stride` from one sequence to
// the next.
struct TokenBatch {
  const std::int32_t* tokens = nullptr;
  std::size_t sequences = 0, length = 0, stride = 0;
  [[nodiscard]] std::size_t count() const { return sequences * length; }
  [[nodiscard]] std::int32_t at(std::size_t m) const {
    return tokens[m / length * stride + m % length];
  }
};

template <class T>
class DecoderStack {
 public:
  DecoderStack(const state::ModelSpec& spec, const Kernels<T>& kernels, Team& team,
               Matmul<T>& matmul, bool recompute);

  // Runs the batch to the final norm; the result is output(). `backward`: keeps what backward()
  // needs. The final part is not released where the head is in it.
  void forward(ModelParts& parts, const TokenBatch& batch, bool backward);
  [[nodiscard]] const T* output() const { return activations_.normed.data(); }  // [M, D]
  // From d_output() on; adds to the gradient of everything but the head, and is done with all
  // parts.
  void backward(ModelParts& parts, const TokenBatch& batch);
  [[nodiscard]] float* d_output() const { return activations_.d_normed.data(); }  // [M, D]
  [[nodiscard]] float* token_losses() const { return activations_.token_losses.data(); }
  [[nodiscard]] const Shape& shape() const { return shape_; }

 private:
  struct LayerView {
    std::size_t index;
    const float* theta;  // of this layer
    float *input, *output;
    LayerActivations<T>* kept;
  };
  [[nodiscard]] LayerView view(std::size_t layer, ModelParts& parts, bool backward);
  void forward_layer(const LayerView& layer, const TokenBatch& batch, bool to_the_end);
  void backward_mlp(const LayerView& layer, std::size_t count, float* gradient);
  void backward_attention(const LayerView& layer, const TokenBatch& batch, float* gradient);
  void embed(const float* embedding, const TokenBatch& batch);
  void add_embedding_gradient(const TokenBatch& batch, float* gradient);
  void norm(const float* x, const float* gain, std::size_t count, float* scale);
  void backward_norm(const float* x, const float* gain, const float* scale, std::size_t count,
                     float* d_gain);
  void rotate(T* qkv, const TokenBatch& batch, bool back);
  template <class Call>
  void each_attention_head(const LayerView& layer, const TokenBatch& batch, const Call& call);

  Shape shape_;
  const Kernels<T>& kernels_;
  Team& team_;
  Matmul<T>& matmul_;
  bool recompute_;
  model::Rotary rotary_;
  Activations<T> activations_;
  std::vector<Buffer<std::uint32_t>> scratch_;  // one per thread, for attention
};

}  // namespace muster::trainer
