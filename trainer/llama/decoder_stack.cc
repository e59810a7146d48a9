#include "trainer/llama/decoder_stack.h"

#include <algorithm>
#include <cstring>

namespace muster::trainer {
namespace {

constexpr std::size_t kGainRows =
    256;  // rows whose gain gradients are summed together, whatever the threads

}  // namespace

template <class T>
DecoderStack<T>::DecoderStack(const state::ModelSpec& spec, const Kernels<T>& kernels, Team& team,
                              Matmul<T>& matmul, bool recompute)
    : shape_(spec),
      kernels_(kernels),
      team_(team),
      matmul_(matmul),
      recompute_(recompute),
      rotary_(spec, spec.context),
      scratch_(team.size()) {}

template <class T>
typename DecoderStack<T>::LayerView DecoderStack<T>::view(std::size_t layer, ModelParts& parts,
                                                          bool backward) {
  const std::size_t in = backward ? layer : layer % 2;
  const std::size_t out = backward ? layer + 1 : (layer + 1) % 2,
                    kept = backward && !recompute_ ? layer : 0;
  return {layer, parts.parameters(layer + 1).data(), activations_.inputs[in].data(),
          activations_.inputs[out].data(), &activations_.layers[kept]};
}

template <class T>
void DecoderStack<T>::embed(const float* embedding, const TokenBatch& batch) {
  const std::size_t D = shape_.width;
  float* x = activations_.inputs[0].data();
  team_.split(batch.count(), 1, [&](std::size_t begin, std::size_t end) {
    for (std::size_t m = begin; m < end; ++m)
      std::memcpy(x + m * D, embedding + static_cast<std::size_t>(batch.at(m)) * D,
                  D * sizeof(float));
  });
}

// Threads share out the columns, so that rows are added in the order of the tokens.
template <class T>
void DecoderStack<T>::add_embedding_gradient(const TokenBatch& batch, float* gradient) {
  const std::size_t D = shape_.width;
  const float* d = activations_.d_residual.data();
  team_.split(D, 16, [&](std::size_t begin, std::size_t end) {
    for (std::size_t m = 0; m < batch.count(); ++m) {
      float* row = gradient + static_cast<std::size_t>(batch.at(m)) * D;
      for (std::size_t i = begin; i < end; ++i) row[i] += d[m * D + i];
    }
  });
}

template <class T>
void DecoderStack<T>::norm(const float* x, const float* gain, std::size_t count, float* scale) {
  const std::size_t D = shape_.width;
  team_.split(count, 1, [&](std::size_t begin, std::size_t end) {
    kernels_.rms_norm(x + begin * D, gain, end - begin, D, shape_.epsilon,
                      activations_.normed.data() + begin * D, scale + begin);
  });
}

template <class T>
void DecoderStack<T>::backward_norm(const float* x, const float* gain, const float* scale,
                                    std::size_t count, float* d_gain) {
  const std::size_t D = shape_.width, parts = (count + kGainRows - 1) / kGainRows;
  float* sums = activations_.gain_parts.data();
  team_.split(parts, 1, [&](std::size_t begin, std::size_t end) {
    std::memset(sums + begin * D, 0, (end - begin) * D * sizeof(float));
    for (std::size_t part = begin; part < end; ++part) {
      const std::size_t first = part * kGainRows, rows = std::min(kGainRows, count - first);
      kernels_.rms_norm_backward(activations_.d_normed.data() + first * D, x + first * D, gain,
                                 scale + first, rows, D, activations_.d_residual.data() + first * D,
                                 sums + part * D, activations_.d_stored.data() + first * D);
    }
  });
  for (std::size_t part = 0; part < parts; ++part)
    for (std::size_t i = 0; i < D; ++i) d_gain[i] += sums[part * D + i];
}

template <class T>
void DecoderStack<T>::rotate(T* qkv, const TokenBatch& batch, bool back) {
  const std::size_t row = shape_.qkv_width(), T_ = batch.length;
  team_.split(batch.sequences, 1, [&](std::size_t begin, std::size_t end) {
    for (std::size_t sequence = begin; sequence < end; ++sequence)
      kernels_.rotate(qkv + sequence * T_ * row, row, shape_.heads + shape_.kv_heads,
                      shape_.head_width, rotary_.cosines(), rotary_.sines(), T_, back);
  });
}

template <class T>
template <class Call>
void DecoderStack<T>::each_attention_head(const LayerView& layer, const TokenBatch& batch,
                                          const Call& call) {
  const std::size_t E = shape_.head_width, row = shape_.qkv_width(), length = batch.length;
  const std::size_t queries = shape_.heads / shape_.kv_heads,
                    words = kernels_.attention_words(length, E);
  std::atomic<std::size_t> next{0};
  team_.run([&](unsigned index) {
    scratch_[index].reserve(words);
    for (std::size_t job = next++; job < batch.sequences * shape_.kv_heads; job = next++) {
      const std::size_t sequence = job / shape_.kv_heads, kv = job % shape_.kv_heads,
                        first = sequence * length;
      T* at = layer.kept->qkv.data() + first * row;
      call(
          AttentionHead<T>{
              .positions = length,
              .width = E,
              .queries = queries,
              .row = row,
              .out_row = shape_.width,
              .q = at + kv * queries * E,
              .k = at + shape_.width + kv * E,
              .v = at + shape_.width + shape_.kv_width + kv * E,
              .out = layer.kept->mixed.data() + first * shape_.width + kv * queries * E,
              .d_out = activations_.d_mixed.data() + first * shape_.width + kv * queries * E,
              .log_sum =
                  layer.kept->log_sum.data() + (sequence * shape_.heads + kv * queries) * length},
          scratch_[index].data());
    }
  });
}

template <class T>
void DecoderStack<T>::forward_layer(const LayerView& layer, const TokenBatch& batch,
                                    bool to_the_end) {
  const std::size_t M = batch.count(), D = shape_.width, F = shape_.feed_forward;
  LayerActivations<T>& kept = *layer.kept;
  T* const normed = activations_.normed.data();
  norm(layer.input, layer.theta + shape_.attention_gain, M, kept.attention_scale.data());
  matmul_.load_forward({layer.theta + shape_.qkv, shape_.qkv_width(), D});
  matmul_.forward(normed, M, {.into = Into::kStored, .stored = kept.qkv.data()});
  rotate(kept.qkv.data(), batch, false);
  each_attention_head(layer, batch, [&](const AttentionHead<T>& head, std::uint32_t* scratch) {
    kernels_.attention(head, scratch);
  });
  matmul_.load_forward({layer.theta + shape_.out, D, D});
  matmul_.forward(kept.mixed.data(), M, Target<T>::sum(kept.middle.data(), layer.input));
  norm(kept.middle.data(), layer.theta + shape_.mlp_gain, M, kept.mlp_scale.data());
  matmul_.load_forward({layer.theta + shape_.gate_up, 2 * F, D});
  matmul_.forward(normed, M, {.into = Into::kStored, .stored = kept.gate_up.data()});
  if (!to_the_end) return;
  team_.split(M, 1, [&](std::size_t begin, std::size_t end) {
    kernels_.swiglu(kept.gate_up.data() + begin * 2 * F, end - begin, F,
                    activations_.act.data() + begin * F);
  });
  matmul_.load_forward({layer.theta + shape_.down, D, F});
  matmul_.forward(activations_.act.data(), M, Target<T>::sum(layer.output, kept.middle.data()));
}

template <class T>
void DecoderStack<T>::forward(ModelParts& parts, const TokenBatch& batch, bool backward) {
  const std::size_t M = batch.count(), final_part = shape_.layers + 1;
  activations_.reserve(shape_, M, backward && !recompute_ ? shape_.layers : 1,
                       (M + kGainRows - 1) / kGainRows, backward);
  const auto embedding = parts.parameters(0);
  parts.expect(1);
  embed(embedding.data(), batch);
  parts.release(0);
  for (std::size_t layer = 0; layer < shape_.layers; ++layer) {
    const LayerView at = view(layer, parts, backward);
    parts.expect(layer + 2);
    forward_layer(at, batch, true);
    parts.release(layer + 1);
  }
  const auto last = parts.parameters(final_part);
  parts.expect(head_part(shape_));
  norm(activations_.inputs[backward ? shape_.layers : shape_.layers % 2].data(), last.data(), M,
       activations_.final_scale.data());
  if (head_part(shape_) != final_part) parts.release(final_part);
}

template <class T>
void DecoderStack<T>::backward_mlp(const LayerView& layer, std::size_t M, float* gradient) {
  const std::size_t D = shape_.width, F = shape_.feed_forward;
  LayerActivations<T>& kept = *layer.kept;
  T *const d_stored = activations_.d_stored.data(), *const act = activations_.act.data();
  matmul_.load_backward({layer.theta + shape_.down, D, F});
  matmul_.backward(d_stored, M, {.into = Into::kStored, .stored = act});
  team_.split(M, 1, [&](std::size_t begin, std::size_t end) {
    kernels_.swiglu_backward(kept.gate_up.data() + begin * 2 * F, end - begin, F, act + begin * F);
  });
  matmul_.add_weight_gradient(d_stored, act, M, D, F, gradient + shape_.down);
  norm(kept.middle.data(), layer.theta + shape_.mlp_gain, M, kept.mlp_scale.data());
  matmul_.add_weight_gradient(kept.gate_up.data(), activations_.normed.data(), M, 2 * F, D,
                              gradient + shape_.gate_up);
  matmul_.load_backward({layer.theta + shape_.gate_up, 2 * F, D});
  matmul_.backward(kept.gate_up.data(), M,
                   {.into = Into::kFloat, .floats = activations_.d_normed.data()});
  backward_norm(kept.middle.data(), layer.theta + shape_.mlp_gain, kept.mlp_scale.data(), M,
                gradient + shape_.mlp_gain);
}

template <class T>
void DecoderStack<T>::backward_attention(const LayerView& layer, const TokenBatch& batch,
                                         float* gradient) {
  const std::size_t M = batch.count(), D = shape_.width, W = shape_.qkv_width();
  LayerActivations<T>& kept = *layer.kept;
  T* const d_stored = activations_.d_stored.data();
  matmul_.load_backward({layer.theta + shape_.out, D, D});
  matmul_.backward(d_stored, M, {.into = Into::kStored, .stored = activations_.d_mixed.data()});
  matmul_.add_weight_gradient(d_stored, kept.mixed.data(), M, D, D, gradient + shape_.out);
  each_attention_head(layer, batch, [&](const AttentionHead<T>& head, std::uint32_t* scratch) {
    kernels_.attention_backward(head, scratch);
  });
  rotate(kept.qkv.data(), batch, true);
  norm(layer.input, layer.theta + shape_.attention_gain, M, kept.attention_scale.data());
  matmul_.add_weight_gradient(kept.qkv.data(), activations_.normed.data(), M, W, D,
                              gradient + shape_.qkv);
  matmul_.load_backward({layer.theta + shape_.qkv, W, D});
  matmul_.backward(kept.qkv.data(), M,
                   {.into = Into::kFloat, .floats = activations_.d_normed.data()});
  backward_norm(layer.input, layer.theta + shape_.attention_gain, kept.attention_scale.data(), M,
                gradient + shape_.attention_gain);
}

template <class T>
void DecoderStack<T>::backward(ModelParts& parts, const TokenBatch& batch) {
  const std::size_t M = batch.count(), final_part = shape_.layers + 1;
  std::memset(activations_.d_residual.data(), 0, M * shape_.width * sizeof(float));
  const auto last = parts.parameters(final_part);
  backward_norm(activations_.inputs[shape_.layers].data(), last.data(),
                activations_.final_scale.data(), M, parts.gradient(final_part).data());
  parts.release(final_part);
  parts.gradient_done(final_part);
  for (std::size_t layer = shape_.layers; layer-- > 0;) {
    const LayerView at = view(layer, parts, true);
    if (layer > 0) parts.expect(layer);  // the layer before
    float* gradient = parts.gradient(layer + 1).data();
    if (recompute_) forward_layer(at, batch, false);
    backward_mlp(at, M, gradient);
    backward_attention(at, batch, gradient);
    parts.release(layer + 1);
    parts.gradient_done(layer + 1);
  }
  add_embedding_gradient(batch, parts.gradient(0).data());
  parts.gradient_done(0);
}

template class DecoderStack<float>;
template class DecoderStack<Bf16>;

}  // namespace muster::trainer
