// Passes: a Llama's forward and backward pass as a sequence of tasks and products, for whatever
// runs them: a card, or, in tests, the host. trainer/llama is the same model on CPUs and what the
// results are held to.
//
// T is what activations are stored as and products read: bf16 on cards, or float. The residual
// stream, sums and gradients are fp32. M tokens, D width, W = D + 2 · key/value width, F
// feed-forward width, V vocabulary. A Backend has
//   Array<X>, allocate<X>(count)   memory, not initialised; Errors: kTooLarge
//   run(task, blocks)              the task for each block
//   forward(x, w, y, rows, out, in)          y[rows, out] = x[rows, in] · w[out, in]ᵀ, y of T or
//   float backward(dy, w, dx, rows, out, in)       dx[rows, in] = dy[rows, out] · w
//   add_weight_gradient(dy, x, g, rows, out, in)   g[out, in] += dyᵀ · x, in fp32
//   attention(shape, qkv, out, log_sum)
//   attention_backward(AttentionBackward, cosines, sines)   d_qkv is turned back
// and does them one after the other. Thread safety: one owner.
#pragma once

#include <algorithm>
#include <type_traits>
#include <vector>

#include "base/check.h"
#include "base/result.h"
#include "cuda/llama/element_tasks.h"
#include "cuda/llama/model_parts.h"
#include "cuda/llama/plain_attention.h"
#include "cuda/llama/token_tasks.h"

namespace muster::gpu {

// Calls work with the number of parts that a row of this width has.
template <class Work>
void with_row_parts(std::size_t width, const Work& work) {
  if (width <= kRowColumns) return work(std::integral_constant<unsigned, 1>{});
  if (width <= 2 * kRowColumns) return work(std::integral_constant<unsigned, 2>{});
  if (width <= 4 * kRowColumns) return work(std::integral_constant<unsigned, 4>{});
  return work(std::integral_constant<unsigned, 8>{});
}
inline constexpr std::size_t kWidthMax = 8 * kRowColumns;
// Teams that sum a gain's gradient: five to each of an H100's multiprocessors, all that run at
// once.
inline constexpr std::size_t kGainPartsMax = 660;

template <class T, class Backend>
class Passes {
 public:
  // Room for passes over `sequences`; without `backward` only losses can be measured. Errors:
  // kTooLarge. `cosines` and `sines`: [context, E / 2] in the backend's memory; they and it must
  // outlive the passes.
  [[nodiscard]] static Result<Passes> make(Backend& backend, const state::ModelSpec& spec,
                                           std::size_t sequences, bool backward,
                                           const float* cosines, const float* sines) {
    Passes passes(backend, spec, sequences, cosines, sines);
    MUSTER_TRY_STATUS(passes.reserve(backward));
    return Result<Passes>(std::move(passes));
  }

  // token_losses()[m] of `sequences` at most as many as there is room for. `parts`: see
  // model_parts.h.
  template <class Parts>
  void losses(Parts& parts, const DeviceTokens& tokens, std::size_t sequences) {
    forward(parts, tokens, sequences, false);
    const T* head = head_of(parts);
    const std::size_t M = sequences * shape_.context, rows = head_rows(sizeof(float));
    auto* logits = reinterpret_cast<float*>(logits_.data());
    for (std::size_t first = 0; first < M; first += rows) {
      const std::size_t count = std::min(rows, M - first);
      backend_->forward(final_normed_.data() + first * shape_.width, head, logits, count,
                        shape_.vocab, shape_.width);
      backend_->run(CrossEntropyTask<float>{logits, first, shape_.vocab, tokens,
                                            token_losses_.data(), false, 0},
                    count);
    }
  }

  // … and gradient += scale · ∇ mean loss, but for the embedding's rows of the tokens.
  template <class Parts>
  void add_gradient(Parts& parts, const DeviceTokens& tokens, std::size_t sequences, float scale) {
    forward(parts, tokens, sequences, true);
    const std::size_t M = sequences * shape_.context, last = part_count(shape_) - 1;
    backward_head(parts, tokens, M, scale / static_cast<float>(M));
    float* d_final = shape_.is_tied() ? parts.open_gradient(last) : parts.gradient(last);
    backward_norm(
        {inputs_[shape_.layers].data(), parts.final_gain(), final_scale_.data(), true, d_final}, M);
    parts.gradient_done(last);
    for (std::size_t layer = shape_.layers; layer-- > 0;) {
      const LayerParts at = layer_of(parts, layer);
      if (layer > 0) parts.expect(layer);
      float* gradient = parts.open_gradient(layer + 1);
      backward_mlp(at, layer, M, gradient);
      backward_attention(at, layer, sequences, gradient);
      parts.gradient_done(layer + 1);
    }
  }
  // Those, of the last add_gradient(): apart, so that the host may find out where tokens occur in
  // the meantime.
  template <class Parts>
  void add_embedding_gradient(Parts& parts, const DeviceOccurrences& occurrences,
                              std::size_t sequences) {
    float* gradient = shape_.is_tied() ? parts.gradient(0) : parts.open_gradient(0);
    backend_->run(EmbeddingGradientTask{occurrences, d_residual_.data(), gradient, shape_.width},
                  sequences * shape_.context);
    parts.gradient_done(0);
  }

  [[nodiscard]] const float* token_losses() const { return token_losses_.data(); }
  [[nodiscard]] const state::Shape& shape() const { return shape_; }

 private:
  template <class X>
  using Array = typename Backend::template Array<X>;

  struct Layer {
    Array<float> middle, attention_scale, mlp_scale, log_sum;
    Array<T> attention_normed, qkv, mixed, mlp_normed, gate_up, act;
  };
  struct LayerParts {
    const T* weights;
    const float *attention_gain, *mlp_gain;
  };
  struct Norm {
    const float* x;
    const float* gain;
    const float* scale;
    bool is_first;
    float* d_gain;
  };

  Passes(Backend& backend, const state::ModelSpec& spec, std::size_t sequences,
         const float* cosines, const float* sines)
      : backend_(&backend),
        shape_(spec),
        tokens_(sequences * spec.context),
        cosines_(cosines),
        sines_(sines) {}

  Status reserve(bool backward);
  [[nodiscard]] AttentionShape attention_shape(std::size_t sequences) const {
    return {sequences, shape_.context, shape_.heads, shape_.kv_heads, shape_.head_width};
  }
  // Rows whose logits are made together.
  [[nodiscard]] std::size_t head_rows(std::size_t number_bytes) const {
    constexpr std::size_t kLogitBytes = 1u << 30, kRowsMin = 128;
    return std::min(tokens_, std::max(kRowsMin, kLogitBytes / number_bytes / shape_.vocab /
                                                    kRowsMin * kRowsMin));
  }
  [[nodiscard]] std::size_t gain_rows(std::size_t M) const {
    constexpr std::size_t kRowsMin = 8;
    return std::max(kRowsMin, (M + kGainPartsMax - 1) / kGainPartsMax);
  }

  // `added` null: the norm of x itself; else x becomes input + added.
  void norm(const float* input, const T* added, float* x, const float* gain, T* normed,
            float* scale, std::size_t M) {
    with_row_parts(shape_.width, [&](auto parts) {
      backend_->run(
          NormTask<T, parts()>{input, added, x, gain, normed, scale, shape_.width, shape_.epsilon},
          M);
    });
  }

  template <class Parts>
  LayerParts layer_of(Parts& parts, std::size_t layer) {
    return {parts.weights(layer + 1), parts.attention_gain(layer), parts.mlp_gain(layer)};
  }
  template <class Parts>
  const T* head_of(Parts& parts) {
    return parts.weights(head_part(shape_)) + head_offset(shape_);
  }

  template <class Parts>
  void forward(Parts& parts, const DeviceTokens& tokens, std::size_t sequences, bool keep) {
    const std::size_t M = sequences * shape_.context;
    MUSTER_CHECK(M <= tokens_, "more sequences than there is room for");
    const auto* embedding = parts.embedding();
    parts.expect(1);
    backend_->run(
        EmbedTask<std::remove_cvref_t<decltype(*embedding)>>{tokens, embedding, inputs_[0].data(),
                                                             shape_.width},
        M);
    for (std::size_t layer = 0; layer < shape_.layers; ++layer) {
      const LayerParts at = layer_of(parts, layer);
      parts.expect(layer + 1 < shape_.layers ? layer + 2 : head_part(shape_));
      forward_layer(at, layer, sequences, keep);
    }
    norm(kept(shape_.layers - 1, keep).middle.data(), branch_.data(),
         inputs_[keep ? shape_.layers : 0].data(), parts.final_gain(), final_normed_.data(),
         final_scale_.data(), M);
  }

  Layer& kept(std::size_t layer, bool keep) { return layers_[keep ? layer : 0]; }

  void forward_layer(const LayerParts& at, std::size_t index, std::size_t sequences, bool keep) {
    const std::size_t M = sequences * shape_.context, D = shape_.width, F = shape_.feed_forward;
    const std::size_t W = shape_.qkv_width();
    const T* weights = at.weights;
    Layer& layer = kept(index, keep);
    float* x = inputs_[keep ? index : 0].data();
    const bool is_first = index == 0;
    norm(is_first ? x : kept(index - 1, keep).middle.data(), is_first ? nullptr : branch_.data(), x,
         at.attention_gain, layer.attention_normed.data(), layer.attention_scale.data(), M);
    backend_->forward(layer.attention_normed.data(), weights + shape_.qkv, layer.qkv.data(), M, W,
                      D);
    const std::size_t rotated = shape_.heads + shape_.kv_heads;
    backend_->run(RotateTask<T>{layer.qkv.data(), W, rotated, shape_.head_width, M, shape_.context,
                                cosines_, sines_, false},
                  element_blocks(M * rotated * shape_.head_width / 2));
    backend_->attention(attention_shape(sequences), layer.qkv.data(), layer.mixed.data(),
                        layer.log_sum.data());
    backend_->forward(layer.mixed.data(), weights + shape_.out, branch_.data(), M, D, D);
    norm(x, branch_.data(), layer.middle.data(), at.mlp_gain, layer.mlp_normed.data(),
         layer.mlp_scale.data(), M);
    backend_->forward(layer.mlp_normed.data(), weights + shape_.gate_up, layer.gate_up.data(), M,
                      2 * F, D);
    backend_->run(SwigluTask<T>{layer.gate_up.data(), layer.act.data(), M, F},
                  element_blocks(M * F));
    backend_->forward(layer.act.data(), weights + shape_.down, branch_.data(), M, D, F);
  }

  template <class Parts>
  void backward_head(Parts& parts, const DeviceTokens& tokens, std::size_t M, float scale) {
    const std::size_t D = shape_.width, V = shape_.vocab, rows = head_rows(sizeof(T));
    const T* head = head_of(parts);
    parts.expect(shape_.layers);
    float* gradient = parts.open_gradient(head_part(shape_)) + head_offset(shape_);
    for (std::size_t first = 0; first < M; first += rows) {
      const std::size_t count = std::min(rows, M - first);
      const T* x = final_normed_.data() + first * D;
      backend_->forward(x, head, logits_.data(), count, V, D);
      backend_->run(
          CrossEntropyTask<T>{logits_.data(), first, V, tokens, token_losses_.data(), true, scale},
          count);
      backend_->backward(logits_.data(), head, branch_.data() + first * D, count, V, D);
      backend_->add_weight_gradient(logits_.data(), x, gradient, count, V, D);
    }
  }

  // From branch_, ∂L/∂(normed), to d_residual_ and d_stored_.
  void backward_norm(const Norm& of, std::size_t M) {
    const std::size_t each = gain_rows(M), parts_count = (M + each - 1) / each;
    with_row_parts(shape_.width, [&](auto parts) {
      backend_->run(NormBackwardTask<T, parts()>{branch_.data(), of.x, of.gain, of.scale,
                                                 d_residual_.data(), of.is_first, d_stored_.data(),
                                                 gain_parts_.data(), M, each, shape_.width},
                    parts_count);
    });
    backend_->run(GainSumTask{gain_parts_.data(), parts_count, shape_.width, of.d_gain},
                  shape_.width / kGainColumns);
  }

  void backward_mlp(const LayerParts& at, std::size_t index, std::size_t M, float* d) {
    const std::size_t D = shape_.width, F = shape_.feed_forward;
    const T* weights = at.weights;
    Layer& layer = layers_[index];
    backend_->add_weight_gradient(d_stored_.data(), layer.act.data(), d + shape_.down, M, D, F);
    backend_->backward(d_stored_.data(), weights + shape_.down, d_act_.data(), M, D, F);
    backend_->run(SwigluBackwardTask<T>{layer.gate_up.data(), d_act_.data(), M, F},
                  element_blocks(M * F));
    backend_->add_weight_gradient(layer.gate_up.data(), layer.mlp_normed.data(), d + shape_.gate_up,
                                  M, 2 * F, D);
    backend_->backward(layer.gate_up.data(), weights + shape_.gate_up, branch_.data(), M, 2 * F, D);
    backward_norm(
        {layer.middle.data(), at.mlp_gain, layer.mlp_scale.data(), false, d + shape_.mlp_gain}, M);
  }

  void backward_attention(const LayerParts& at, std::size_t index, std::size_t sequences,
                          float* d) {
    const std::size_t M = sequences * shape_.context, D = shape_.width, W = shape_.qkv_width();
    const T* weights = at.weights;
    Layer& layer = layers_[index];
    const AttentionShape attention = attention_shape(sequences);
    backend_->backward(d_stored_.data(), weights + shape_.out, branch_.data(), M, D, D);
    backend_->add_weight_gradient(d_stored_.data(), layer.mixed.data(), d + shape_.out, M, D, D);
    backend_->run(
        AttentionDeltaTask<T>{attention, layer.mixed.data(), branch_.data(), delta_.data()},
        element_blocks(M * D));
    backend_->attention_backward(
        AttentionBackward<T>{attention, layer.qkv.data(), branch_.data(), layer.log_sum.data(),
                             delta_.data(), d_qkv_.data()},
        cosines_, sines_);
    backend_->add_weight_gradient(d_qkv_.data(), layer.attention_normed.data(), d + shape_.qkv, M,
                                  W, D);
    backend_->backward(d_qkv_.data(), weights + shape_.qkv, branch_.data(), M, W, D);
    backward_norm({inputs_[index].data(), at.attention_gain, layer.attention_scale.data(), false,
                   d + shape_.attention_gain},
                  M);
  }

  Backend* backend_;
  state::Shape shape_;
  std::size_t tokens_;  // there is room for
  const float *cosines_, *sines_;
  std::vector<Array<float>> inputs_;  // the residual stream, layers + 1 of [M, D]
  std::vector<Layer> layers_;
  Array<T> branch_, final_normed_, logits_;  // [M, D], [M, D], [head_rows, V]
  Array<T> d_stored_, d_qkv_, d_act_;        // [M, D], [M, W], [M, F]
  Array<float> final_scale_, token_losses_, d_residual_, delta_, gain_parts_;
};

template <class T, class Backend>
Status Passes<T, Backend>::reserve(bool backward) {
  const std::size_t M = tokens_, D = shape_.width, F = shape_.feed_forward, H = shape_.heads;
  inputs_.resize(backward ? shape_.layers + 1 : 1);
  for (auto& input : inputs_) {
    MUSTER_TRY(input, backend_->template allocate<float>(M * D));
  }
  layers_.resize(backward ? shape_.layers : 1);
  for (Layer& layer : layers_) {
    MUSTER_TRY(layer.middle, backend_->template allocate<float>(M * D));
    MUSTER_TRY(layer.attention_scale, backend_->template allocate<float>(M));
    MUSTER_TRY(layer.mlp_scale, backend_->template allocate<float>(M));
    MUSTER_TRY(layer.log_sum, backend_->template allocate<float>(M * H));
    MUSTER_TRY(layer.attention_normed, backend_->template allocate<T>(M * D));
    MUSTER_TRY(layer.qkv, backend_->template allocate<T>(M * shape_.qkv_width()));
    MUSTER_TRY(layer.mixed, backend_->template allocate<T>(M * D));
    MUSTER_TRY(layer.mlp_normed, backend_->template allocate<T>(M * D));
    MUSTER_TRY(layer.gate_up, backend_->template allocate<T>(M * 2 * F));
    MUSTER_TRY(layer.act, backend_->template allocate<T>(M * F));
  }
  MUSTER_TRY(branch_, backend_->template allocate<T>(M * D));
  MUSTER_TRY(final_normed_, backend_->template allocate<T>(M * D));
  MUSTER_TRY(final_scale_, backend_->template allocate<float>(M));
  MUSTER_TRY(token_losses_, backend_->template allocate<float>(M));
  const std::size_t logit_bytes =
      std::max(head_rows(sizeof(T)) * sizeof(T), head_rows(sizeof(float)) * sizeof(float));
  MUSTER_TRY(logits_, backend_->template allocate<T>(logit_bytes / sizeof(T) * shape_.vocab));
  if (!backward) return {};
  MUSTER_TRY(d_stored_, backend_->template allocate<T>(M * D));
  MUSTER_TRY(d_qkv_, backend_->template allocate<T>(M * shape_.qkv_width()));
  MUSTER_TRY(d_act_, backend_->template allocate<T>(M * F));
  MUSTER_TRY(d_residual_, backend_->template allocate<float>(M * D));
  MUSTER_TRY(delta_, backend_->template allocate<float>(M * H));
  MUSTER_TRY(gain_parts_,
             backend_->template allocate<float>(std::min<std::size_t>(M, kGainPartsMax) * D));
  return {};
}

}  // namespace muster::gpu
