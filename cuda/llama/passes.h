// Passes: a Llama's forward and backward pass as a sequence of tasks and products, for whatever runs them: a card, or,
// in tests, the host. trainer/llama is the same model on CPUs and what the results are held to.
//
// T is what activations are stored as and products read: bf16 on cards, or float. The residual stream, sums and
// gradients are fp32. M tokens, D width, W = D + 2 · key/value width, F feed-forward width, V vocabulary.
// A Backend has
//   Array<X>, allocate<X>(count)   memory, not initialised; Errors: kTooLarge
//   run(task, blocks)              the task for each block
//   forward(x, w, y, rows, out, in)          y[rows, out] = x[rows, in] · w[out, in]ᵀ, y of T or float
//   backward(dy, w, dx, rows, out, in)       dx[rows, in] = dy[rows, out] · w
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
#include "cuda/llama/plain_attention.h"
#include "cuda/llama/token_tasks.h"
#include "state/shape.h"

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
// Teams that sum a gain's gradient: five to each of an H100's multiprocessors, all that run at once.
inline constexpr std::size_t kGainPartsMax = 660;

// Parameters on the card. `weights`: what products read, θ itself or its rounded copy.
template <class T>
struct Parameters {
  const float* theta = nullptr;
  const T* weights = nullptr;
};

template <class T, class Backend>
class Passes {
 public:
  // Room for passes over `sequences`; without `backward` only losses can be measured. Errors: kTooLarge.
  // `cosines` and `sines`: [context, E / 2] in the backend's memory; they and it must outlive the passes.
  [[nodiscard]] static Result<Passes> make(Backend& backend, const state::ModelSpec& spec, std::size_t sequences,
                                           bool backward, const float* cosines, const float* sines) {
    Passes passes(backend, spec, sequences, cosines, sines);
    MUSTER_TRY_STATUS(passes.reserve(backward));
    return Result<Passes>(std::move(passes));
  }

  // token_losses()[m] of `sequences` at most as many as there is room for.
  void losses(const Parameters<T>& at, const DeviceTokens& tokens, std::size_t sequences) {
    forward(at, tokens, sequences, false);
    const std::size_t M = sequences * shape_.context, rows = head_rows(sizeof(float));
    auto* logits = reinterpret_cast<float*>(logits_.data());
    for (std::size_t first = 0; first < M; first += rows) {
      const std::size_t count = std::min(rows, M - first);
      backend_->forward(final_normed_.data() + first * shape_.width, at.weights + shape_.head, logits, count,
                        shape_.vocab, shape_.width);
      backend_->run(CrossEntropyTask<float>{logits, first, shape_.vocab, tokens, token_losses_.data(), false, 0},
                    count);
    }
  }

  // … and gradient += scale · ∇ mean loss, but for the embedding's rows of the tokens.
  void add_gradient(const Parameters<T>& at, const DeviceTokens& tokens, std::size_t sequences, float scale,
                    float* gradient) {
    forward(at, tokens, sequences, true);
    const std::size_t M = sequences * shape_.context;
    backward_head(at, tokens, M, scale / static_cast<float>(M), gradient);
    backward_norm({inputs_[shape_.layers].data(), at.theta + shape_.final_gain, final_scale_.data(), true,
                   gradient + shape_.final_gain}, M);
    for (std::size_t layer = shape_.layers; layer-- > 0;) {
      backward_mlp(at, layer, M, gradient);
      backward_attention(at, layer, sequences, gradient);
    }
  }
  // Those, of the last add_gradient(): apart, so that the host may find out where tokens occur in the meantime.
  void add_embedding_gradient(const DeviceOccurrences& occurrences, std::size_t sequences, float* gradient) {
    backend_->run(EmbeddingGradientTask{occurrences, d_residual_.data(), gradient, shape_.width},
                  sequences * shape_.context);
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
  struct Norm {
    const float* x;
    const float* gain;
    const float* scale;
    bool is_first;
    float* d_gain;
  };

  Passes(Backend& backend, const state::ModelSpec& spec, std::size_t sequences, const float* cosines,
         const float* sines)
      : backend_(&backend), shape_(spec), tokens_(sequences * spec.context), cosines_(cosines), sines_(sines) {}

  Status reserve(bool backward);
  [[nodiscard]] AttentionShape attention_shape(std::size_t sequences) const {
    return {sequences, shape_.context, shape_.heads, shape_.kv_heads, shape_.head_width};
  }
  // Rows whose logits are made together.
  [[nodiscard]] std::size_t head_rows(std::size_t number_bytes) const {
    constexpr std::size_t kLogitBytes = 1u << 30, kRowsMin = 128;
    return std::min(tokens_, std::max(kRowsMin, kLogitBytes / number_bytes / shape_.vocab / kRowsMin * kRowsMin));
  }
  [[nodiscard]] std::size_t gain_rows(std::size_t M) const {
    constexpr std::size_t kRowsMin = 8;
    return std::max(kRowsMin, (M + kGainPartsMax - 1) / kGainPartsMax);
  }

  // `added` null: the norm of x itself; else x becomes input + added.
  void norm(const float* input, const T* added, float* x, const float* gain, T* normed, float* scale, std::size_t M) {
    with_row_parts(shape_.width, [&](auto parts) {
      backend_->run(NormTask<T, parts()>{input, added, x, gain, normed, scale, shape_.width, shape_.epsilon}, M);
    });
  }

  void forward(const Parameters<T>& at, const DeviceTokens& tokens, std::size_t sequences, bool keep) {
    const std::size_t M = sequences * shape_.context;
    MUSTER_CHECK(M <= tokens_, "more sequences than there is room for");
    backend_->run(EmbedTask{tokens, at.theta, inputs_[0].data(), shape_.width}, M);
    for (std::size_t layer = 0; layer < shape_.layers; ++layer) forward_layer(at, layer, sequences, keep);
    norm(kept(shape_.layers - 1, keep).middle.data(), branch_.data(), inputs_[keep ? shape_.layers : 0].data(),
         at.theta + shape_.final_gain, final_normed_.data(), final_scale_.data(), M);
  }

  Layer& kept(std::size_t layer, bool keep) { return layers_[keep ? layer : 0]; }

  void forward_layer(const Parameters<T>& at, std::size_t index, std::size_t sequences, bool keep) {
    const std::size_t M = sequences * shape_.context, D = shape_.width, F = shape_.feed_forward;
    const std::size_t offset = shape_.layer(index), W = shape_.qkv_width();
    const float* theta = at.theta + offset;
    const T* weights = at.weights + offset;
    Layer& layer = kept(index, keep);
    float* x = inputs_[keep ? index : 0].data();
    const bool is_first = index == 0;
    norm(is_first ? x : kept(index - 1, keep).middle.data(), is_first ? nullptr : branch_.data(), x,
         theta + shape_.attention_gain, layer.attention_normed.data(), layer.attention_scale.data(), M);
    backend_->forward(layer.attention_normed.data(), weights + shape_.qkv, layer.qkv.data(), M, W, D);
    const std::size_t rotated = shape_.heads + shape_.kv_heads;
    backend_->run(RotateTask<T>{layer.qkv.data(), W, rotated, shape_.head_width, M, shape_.context, cosines_, sines_,
                                false},
                  element_blocks(M * rotated * shape_.head_width / 2));
    backend_->attention(attention_shape(sequences), layer.qkv.data(), layer.mixed.data(), layer.log_sum.data());
    backend_->forward(layer.mixed.data(), weights + shape_.out, branch_.data(), M, D, D);
    norm(x, branch_.data(), layer.middle.data(), theta + shape_.mlp_gain, layer.mlp_normed.data(),
         layer.mlp_scale.data(), M);
    backend_->forward(layer.mlp_normed.data(), weights + shape_.gate_up, layer.gate_up.data(), M, 2 * F, D);
    backend_->run(SwigluTask<T>{layer.gate_up.data(), layer.act.data(), M, F}, element_blocks(M * F));
    backend_->forward(layer.act.data(), weights + shape_.down, branch_.data(), M, D, F);
  }

  void backward_head(const Parameters<T>& at, const DeviceTokens& tokens, std::size_t M, float scale,
                     float* gradient) {
    const std::size_t D = shape_.width, V = shape_.vocab, rows = head_rows(sizeof(T));
    const T* head = at.weights + shape_.head;
    for (std::size_t first = 0; first < M; first += rows) {
      const std::size_t count = std::min(rows, M - first);
      const T* x = final_normed_.data() + first * D;
      backend_->forward(x, head, logits_.data(), count, V, D);
      backend_->run(CrossEntropyTask<T>{logits_.data(), first, V, tokens, token_losses_.data(), true, scale}, count);
      backend_->backward(logits_.data(), head, branch_.data() + first * D, count, V, D);
      backend_->add_weight_gradient(logits_.data(), x, gradient + shape_.head, count, V, D);
    }
  }

  // From branch_, ∂L/∂(normed), to d_residual_ and d_stored_.
  void backward_norm(const Norm& of, std::size_t M) {
    const std::size_t each = gain_rows(M), parts_count = (M + each - 1) / each;
    with_row_parts(shape_.width, [&](auto parts) {
      backend_->run(NormBackwardTask<T, parts()>{branch_.data(), of.x, of.gain, of.scale, d_residual_.data(),
                                                 of.is_first, d_stored_.data(), gain_parts_.data(), M, each,
                                                 shape_.width},
                    parts_count);
    });
    backend_->run(GainSumTask{gain_parts_.data(), parts_count, shape_.width, of.d_gain},
                  shape_.width / kGainColumns);
  }

  void backward_mlp(const Parameters<T>& at, std::size_t index, std::size_t M, float* gradient) {
    const std::size_t D = shape_.width, F = shape_.feed_forward, offset = shape_.layer(index);
    const T* weights = at.weights + offset;
    float* d = gradient + offset;
    Layer& layer = layers_[index];
    backend_->add_weight_gradient(d_stored_.data(), layer.act.data(), d + shape_.down, M, D, F);
    backend_->backward(d_stored_.data(), weights + shape_.down, d_act_.data(), M, D, F);
    backend_->run(SwigluBackwardTask<T>{layer.gate_up.data(), d_act_.data(), M, F}, element_blocks(M * F));
    backend_->add_weight_gradient(layer.gate_up.data(), layer.mlp_normed.data(), d + shape_.gate_up, M, 2 * F, D);
    backend_->backward(layer.gate_up.data(), weights + shape_.gate_up, branch_.data(), M, 2 * F, D);
    backward_norm({layer.middle.data(), at.theta + offset + shape_.mlp_gain, layer.mlp_scale.data(), false,
                   d + shape_.mlp_gain}, M);
  }

  void backward_attention(const Parameters<T>& at, std::size_t index, std::size_t sequences, float* gradient) {
    const std::size_t M = sequences * shape_.context, D = shape_.width, W = shape_.qkv_width();
    const std::size_t offset = shape_.layer(index);
    const T* weights = at.weights + offset;
    float* d = gradient + offset;
    Layer& layer = layers_[index];
    const AttentionShape attention = attention_shape(sequences);
    backend_->backward(d_stored_.data(), weights + shape_.out, branch_.data(), M, D, D);
    backend_->add_weight_gradient(d_stored_.data(), layer.mixed.data(), d + shape_.out, M, D, D);
    backend_->run(AttentionDeltaTask<T>{attention, layer.mixed.data(), branch_.data(), delta_.data()},
                  element_blocks(M * D));
    backend_->attention_backward(AttentionBackward<T>{attention, layer.qkv.data(), branch_.data(),
                                                      layer.log_sum.data(), delta_.data(), d_qkv_.data()},
                                 cosines_, sines_);
    backend_->add_weight_gradient(d_qkv_.data(), layer.attention_normed.data(), d + shape_.qkv, M, W, D);
    backend_->backward(d_qkv_.data(), weights + shape_.qkv, branch_.data(), M, W, D);
    backward_norm({inputs_[index].data(), at.theta + offset + shape_.attention_gain, layer.attention_scale.data(),
                   false, d + shape_.attention_gain}, M);
  }

  Backend* backend_;
  state::Shape shape_;
  std::size_t tokens_;  // there is room for
  const float *cosines_, *sines_;
  std::vector<Array<float>> inputs_;  // the residual stream, layers + 1 of [M, D]
  std::vector<Layer> layers_;
  Array<T> branch_, final_normed_, logits_;        // [M, D], [M, D], [head_rows, V]
  Array<T> d_stored_, d_qkv_, d_act_;              // [M, D], [M, W], [M, F]
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
  const std::size_t logit_bytes = std::max(head_rows(sizeof(T)) * sizeof(T), head_rows(sizeof(float)) * sizeof(float));
  MUSTER_TRY(logits_, backend_->template allocate<T>(logit_bytes / sizeof(T) * shape_.vocab));
  if (!backward) return {};
  MUSTER_TRY(d_stored_, backend_->template allocate<T>(M * D));
  MUSTER_TRY(d_qkv_, backend_->template allocate<T>(M * shape_.qkv_width()));
  MUSTER_TRY(d_act_, backend_->template allocate<T>(M * F));
  MUSTER_TRY(d_residual_, backend_->template allocate<float>(M * D));
  MUSTER_TRY(delta_, backend_->template allocate<float>(M * H));
  MUSTER_TRY(gain_parts_, backend_->template allocate<float>(std::min<std::size_t>(M, kGainPartsMax) * D));
  return {};
}

}  // namespace muster::gpu
