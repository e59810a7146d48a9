#include "trainer/llama/decoder.h"

#include <algorithm>
#include <cmath>

#include "base/check.h"

namespace muster::trainer {

Decoder::Decoder(const state::ModelSpec& spec, std::span<const float> theta, Team& team)
    : shape_(spec),
      theta_(theta.data()),
      team_(team),
      kernels_(*available_kernels<float>().front()),
      rotary_(spec, spec.context),
      keys_(shape_.layers * shape_.context * shape_.kv_width),
      values_(keys_.size()),
      x_(shape_.width),
      h_(shape_.width),
      qkv_(shape_.qkv_width()),
      mixed_(shape_.width),
      gate_up_(2 * shape_.feed_forward),
      act_(shape_.feed_forward),
      scores_(shape_.heads * shape_.context),
      logits_(shape_.vocab) {
  MUSTER_CHECK(theta.size() == shape_.parameters, "numbers of another model");
}

void Decoder::multiply(const float* matrix, std::size_t rows, std::size_t columns, const float* x,
                       float* y) {
  team_.split(rows, 64, [&](std::size_t begin, std::size_t end) {
    kernels_.matrix_vector(matrix + begin * columns, end - begin, columns, x, y + begin);
  });
}

void Decoder::norm(const float* gain, const float* x, float* h) {
  float scale = 0;
  kernels_.rms_norm(x, gain, 1, shape_.width, shape_.epsilon, h, &scale);
}

void Decoder::attend_head(const float* q, const float* keys, const float* values, float* scores,
                          float* mixed) const {
  const std::size_t E = shape_.head_width, row = shape_.kv_width;
  const float scale = 1 / std::sqrt(static_cast<float>(E));
  float top = -INFINITY, total = 0;
  for (std::size_t t = 0; t <= position_; ++t) {
    float dot = 0;
    for (std::size_t i = 0; i < E; ++i) dot += q[i] * keys[t * row + i];
    scores[t] = dot * scale;
    top = std::max(top, scores[t]);
  }
  std::fill(mixed, mixed + E, 0.0f);
  for (std::size_t t = 0; t <= position_; ++t) {
    const float p = std::exp(scores[t] - top);
    total += p;
    for (std::size_t i = 0; i < E; ++i) mixed[i] += p * values[t * row + i];
  }
  for (std::size_t i = 0; i < E; ++i) mixed[i] /= total;
}

void Decoder::attend(std::size_t layer) {
  const std::size_t E = shape_.head_width, row = shape_.kv_width,
                    group = shape_.heads / shape_.kv_heads;
  kernels_.rotate(qkv_.data(), shape_.qkv_width(), shape_.heads + shape_.kv_heads, E,
                  rotary_.cosines(position_), rotary_.sines(position_), 1, false);
  float* keys = keys_.data() + layer * shape_.context * row;
  float* values = values_.data() + layer * shape_.context * row;
  std::copy_n(qkv_.data() + shape_.width, row, keys + position_ * row);
  std::copy_n(qkv_.data() + shape_.width + row, row, values + position_ * row);
  team_.split(shape_.heads, 1, [&](std::size_t begin, std::size_t end) {
    for (std::size_t head = begin; head < end; ++head)
      attend_head(qkv_.data() + head * E, keys + head / group * E, values + head / group * E,
                  scores_.data() + head * shape_.context, mixed_.data() + head * E);
  });
}

std::span<const float> Decoder::step(std::int32_t token) {
  MUSTER_CHECK(
      position_ < shape_.context && token >= 0 && static_cast<std::size_t>(token) < shape_.vocab,
      "a token outside vocabulary or context");
  const std::size_t D = shape_.width, F = shape_.feed_forward;
  auto add = [this, D](const std::vector<float>& y) {
    for (std::size_t i = 0; i < D; ++i) x_[i] += y[i];
  };
  std::copy_n(theta_ + static_cast<std::size_t>(token) * D, D, x_.data());
  for (std::size_t layer = 0; layer < shape_.layers; ++layer) {
    const float* at = theta_ + shape_.layer(layer);
    norm(at + shape_.attention_gain, x_.data(), h_.data());
    multiply(at + shape_.qkv, shape_.qkv_width(), D, h_.data(), qkv_.data());
    attend(layer);
    multiply(at + shape_.out, D, D, mixed_.data(), h_.data());
    add(h_);
    norm(at + shape_.mlp_gain, x_.data(), h_.data());
    multiply(at + shape_.gate_up, 2 * F, D, h_.data(), gate_up_.data());
    kernels_.swiglu(gate_up_.data(), 1, F, act_.data());
    multiply(at + shape_.down, D, F, act_.data(), h_.data());
    add(h_);
  }
  norm(theta_ + shape_.final_gain, x_.data(), h_.data());
  multiply(theta_ + shape_.head, shape_.vocab, D, h_.data(), logits_.data());
  ++position_;
  return logits_;
}

}  // namespace muster::trainer
