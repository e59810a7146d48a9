#include "tests/trainer/autograd/model.h"

#include <cmath>
#include <limits>
#include <numbers>

namespace muster::trainer {

namespace {

at::Tensor stretch(const at::Tensor& frequencies, const state::RopeScaling& scaling) {
  const double original = scaling.original_context;
  const double low = static_cast<double>(scaling.low_frequency_factor);
  const double high = static_cast<double>(scaling.high_frequency_factor);
  const double factor = static_cast<double>(scaling.factor);
  const at::Tensor wavelengths = 2 * std::numbers::pi / frequencies;
  const at::Tensor blend = (original / wavelengths - low) / (high - low);
  const at::Tensor blended = (1 - blend) * frequencies / factor + blend * frequencies;
  return at::where(wavelengths > original / low, frequencies / factor,
                   at::where(wavelengths < original / high, frequencies, blended));
}

}  // namespace

// q, k and v lie one after the other in the flat array, as do gate and up, so each group is one
// matrix.
Model::Model(const state::ModelSpec& spec) : spec_(spec) {
  const std::int64_t d = spec.d_model, kv = d / spec.heads * spec.kv_heads, f = spec.d_ff;
  sizes_.push_back(spec.vocab * d);
  for (std::uint32_t layer = 0; layer < spec.layers; ++layer)
    sizes_.insert(sizes_.end(), {d, (d + 2 * kv) * d, d * d, d, 2 * f * d, d * f});
  sizes_.push_back(d);
  if (!spec.tied) sizes_.push_back(spec.vocab * d);
  for (std::int64_t size : sizes_) parameters_ += size;
  const std::int64_t head = d / spec.heads;
  const at::Tensor exponents = at::arange(0, head, 2, at::kFloat) / static_cast<double>(head);
  inverse_frequencies_ =
      at::reciprocal(at::pow(at::scalar_tensor(spec.rope_theta, at::kFloat), exponents));
  if (spec.rope_scaling) inverse_frequencies_ = stretch(inverse_frequencies_, *spec.rope_scaling);
}

Model::Rotary Model::rotary(std::int64_t positions, at::ScalarType type) const {
  const at::Tensor angles = at::outer(at::arange(positions, at::kFloat), inverse_frequencies_);
  const at::Tensor both = at::cat({angles, angles}, -1);
  return {both.cos().to(type), both.sin().to(type)};
}

namespace {

at::Tensor rotate(const at::Tensor& x, const at::Tensor& cos, const at::Tensor& sin) {
  const auto halves = x.chunk(2, -1);
  return x * cos + at::cat({-halves[1], halves[0]}, -1) * sin;
}

}  // namespace

at::Tensor Model::attention(const at::Tensor& x_BTD, const at::Tensor& qkv, const at::Tensor& out,
                            const Rotary& rotary) const {
  const std::int64_t B = x_BTD.size(0), T = x_BTD.size(1), D = x_BTD.size(2);
  const std::int64_t H = spec_.heads, K = spec_.kv_heads, E = D / H;
  const auto parts = at::linear(x_BTD, qkv).split_with_sizes({D, K * E, K * E}, -1);
  auto heads = [&](const at::Tensor& x, std::int64_t count) {
    return x.view({B, T, count, E}).transpose(1, 2);  // [B, count, T, E]
  };
  at::Tensor q = rotate(heads(parts[0], H), rotary.cos, rotary.sin);
  at::Tensor k = rotate(heads(parts[1], K), rotary.cos, rotary.sin);
  at::Tensor v = heads(parts[2], K);
  if (K != H) {
    k = k.repeat_interleave(H / K, 1);
    v = v.repeat_interleave(H / K, 1);
  }
  // Explicit products: LibTorch's fused attention is several times slower on CPU at short context.
  const at::Tensor mask =
      at::full({1, T, T}, -std::numeric_limits<float>::infinity(), x_BTD.options()).triu(1);
  const at::Tensor scores =
      at::baddbmm(mask, q.reshape({B * H, T, E}), k.reshape({B * H, T, E}).transpose(1, 2), 1,
                  1 / std::sqrt(static_cast<double>(E)));
  const at::Tensor mixed = at::bmm(scores.softmax(-1), v.reshape({B * H, T, E}));
  return at::linear(mixed.view({B, H, T, E}).transpose(1, 2).reshape({B, T, D}), out);
}

at::Tensor Model::logits(const at::Tensor& flat, const at::Tensor& tokens) const {
  const std::int64_t d = spec_.d_model, kv = d / spec_.heads * spec_.kv_heads, f = spec_.d_ff;
  const double epsilon = static_cast<double>(spec_.norm_epsilon);
  const auto pieces = flat.split_with_sizes(sizes_);
  const Rotary rotary = this->rotary(tokens.size(1), flat.scalar_type());
  const at::Tensor embedding = pieces[0].view({spec_.vocab, d});
  at::Tensor x = at::embedding(embedding, tokens);
  std::size_t next = 1;
  for (std::uint32_t layer = 0; layer < spec_.layers; ++layer) {
    const at::Tensor& attention_gain = pieces[next++];
    const at::Tensor qkv = pieces[next++].view({d + 2 * kv, d});
    const at::Tensor out = pieces[next++].view({d, d});
    const at::Tensor& mlp_gain = pieces[next++];
    const at::Tensor gate_up = pieces[next++].view({2 * f, d});
    const at::Tensor down = pieces[next++].view({d, f});
    x = x + attention(at::rms_norm(x, {d}, attention_gain, epsilon), qkv, out, rotary);
    const auto gated = at::linear(at::rms_norm(x, {d}, mlp_gain, epsilon), gate_up).chunk(2, -1);
    x = x + at::linear(at::silu(gated[0]) * gated[1], down);
  }
  x = at::rms_norm(x, {d}, pieces[next++], epsilon);
  return at::linear(x, spec_.tied ? embedding : pieces[next].view({spec_.vocab, d}));
}

at::Tensor Model::losses(const at::Tensor& flat, const at::Tensor& sequences) const {
  const std::int64_t B = sequences.size(0), T = sequences.size(1) - 1;
  const at::Tensor predicted = logits(flat, sequences.narrow(1, 0, T));
  const at::Tensor targets = sequences.narrow(1, 1, T).reshape({B * T});
  return at::cross_entropy_loss(predicted.view({B * T, -1}).to(at::kFloat), targets, {},
                                at::Reduction::None)
      .view({B, T})
      .mean(1);
}

}  // namespace muster::trainer
