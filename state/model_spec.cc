#include "state/model_spec.h"

#include <cmath>
#include <cstdio>
#include <vector>

#include "base/limits.h"
#include "base/prng.h"

namespace muster::state {
namespace {

std::string text_of(double value) {
  char text[32];
  std::snprintf(text, sizeof(text), "%.10g", value);
  return text;
}

Status in_range(const char* field, double value, double low, double high) {
  if (std::isfinite(value) && value >= low && value <= high) return {};
  return Error{Errc::kInvalidArgument, std::string("model.") + field + " is " + text_of(value) +
                                           ", must be from " + text_of(low) + " to " +
                                           text_of(high)};
}

Status validate(const RopeScaling& scaling) {
  MUSTER_TRY_STATUS(in_range("rope_factor", scaling.factor, 1, 1e6));
  MUSTER_TRY_STATUS(in_range("rope_low_frequency_factor", scaling.low_frequency_factor, 1e-6, 1e6));
  MUSTER_TRY_STATUS(
      in_range("rope_high_frequency_factor", scaling.high_frequency_factor, 1e-6, 1e6));
  MUSTER_TRY_STATUS(in_range("rope_original_context", scaling.original_context, 2, 1 << 20));
  if (scaling.high_frequency_factor <= scaling.low_frequency_factor)
    return Error{Errc::kInvalidArgument,
                 "model.rope_high_frequency_factor must be above model.rope_low_frequency_factor"};
  return {};
}

}  // namespace

Status validate(const ModelSpec& spec) {
  MUSTER_TRY_STATUS(in_range("d_model", spec.d_model, 8, 32768));
  MUSTER_TRY_STATUS(in_range("layers", spec.layers, 1, 512));
  MUSTER_TRY_STATUS(in_range("heads", spec.heads, 1, 512));
  MUSTER_TRY_STATUS(in_range("kv_heads", spec.kv_heads, 1, spec.heads));
  MUSTER_TRY_STATUS(in_range("d_ff", spec.d_ff, 8, 262144));
  MUSTER_TRY_STATUS(in_range("context", spec.context, 2, 1 << 20));
  MUSTER_TRY_STATUS(in_range("vocab", spec.vocab, 2, 1 << 24));
  MUSTER_TRY_STATUS(in_range("rope_theta", spec.rope_theta, 1, 1e12));
  MUSTER_TRY_STATUS(in_range("norm_epsilon", spec.norm_epsilon, 1e-12, 1e-2));
  if (spec.rope_scaling) MUSTER_TRY_STATUS(validate(*spec.rope_scaling));
  if (spec.d_model % spec.heads != 0 || (spec.d_model / spec.heads) % 2 != 0)
    return Error{Errc::kInvalidArgument,
                 "model.heads must divide model.d_model into even head sizes"};
  if (spec.heads % spec.kv_heads != 0)
    return Error{Errc::kInvalidArgument, "model.kv_heads must divide model.heads"};
  if (parameter_count(spec) > limits::kParametersMax)
    return Error{Errc::kTooLarge, "the model has " + std::to_string(parameter_count(spec)) +
                                      " parameters, at most " +
                                      std::to_string(limits::kParametersMax)};
  return {};
}

std::uint64_t parameter_count(const ModelSpec& spec) {
  const std::uint64_t d = spec.d_model;
  const std::uint64_t kv = d / spec.heads * spec.kv_heads;
  const std::uint64_t layer = 2 * d + 2 * d * d + 2 * kv * d + 3 * d * spec.d_ff;
  return spec.vocab * d * (spec.tied ? 1 : 2) + spec.layers * layer + d;
}

compression::Layout layout_of(const ModelSpec& spec) {
  const std::uint64_t d = spec.d_model;
  const std::uint64_t kv = d / spec.heads * spec.kv_heads;
  std::vector<compression::Layout::NamedShape> tensors;
  tensors.push_back({"model.embed_tokens.weight", {spec.vocab, d}});
  for (std::uint32_t layer = 0; layer < spec.layers; ++layer) {
    const std::string prefix = "model.layers." + std::to_string(layer) + ".";
    tensors.push_back({prefix + "input_layernorm.weight", {d}});
    tensors.push_back({prefix + "self_attn.q_proj.weight", {d, d}});
    tensors.push_back({prefix + "self_attn.k_proj.weight", {kv, d}});
    tensors.push_back({prefix + "self_attn.v_proj.weight", {kv, d}});
    tensors.push_back({prefix + "self_attn.o_proj.weight", {d, d}});
    tensors.push_back({prefix + "post_attention_layernorm.weight", {d}});
    tensors.push_back({prefix + "mlp.gate_proj.weight", {spec.d_ff, d}});
    tensors.push_back({prefix + "mlp.up_proj.weight", {spec.d_ff, d}});
    tensors.push_back({prefix + "mlp.down_proj.weight", {d, spec.d_ff}});
  }
  tensors.push_back({"model.norm.weight", {d}});
  if (!spec.tied) tensors.push_back({"lm_head.weight", {spec.vocab, d}});
  return compression::Layout::make(tensors).value();
}

namespace {

// Nearly normal with variance 1: the sum of twelve uniform 16-bit integers, centred (Irwin-Hall).
float nearly_normal(Prng& random) {
  std::int32_t sum = 0;
  for (int word = 0; word < 6; ++word) {
    const std::uint32_t bits = random.next_u32();
    sum += static_cast<std::int32_t>(bits & 0xffff) + static_cast<std::int32_t>(bits >> 16);
  }
  return static_cast<float>(sum - 6 * 65535) * 0x1.0p-16f;
}

// IEEE square root and division are exactly rounded, so this is equal everywhere.
float scale_of(const ModelSpec& spec, const compression::Tensor& tensor) {
  if (tensor.name == "model.embed_tokens.weight") return 0.02f;
  const double fan_in = std::sqrt(static_cast<double>(tensor.shape[1]));
  const bool residual =
      tensor.name.ends_with("o_proj.weight") || tensor.name.ends_with("down_proj.weight");
  const double depth = residual ? std::sqrt(2.0 * spec.layers) : 1.0;
  return static_cast<float>(1.0 / (fan_in * depth));
}

}  // namespace

void initial_parameters(const ModelSpec& spec, std::uint64_t seed, std::span<float> parameters) {
  const compression::Layout layout = layout_of(spec);
  MUSTER_CHECK(parameters.size() == layout.parameters(), "parameters of another model");
  std::uint64_t stream = 0;
  for (const compression::Tensor& tensor : layout.tensors()) {
    const auto values = parameters.subspan(tensor.offset, tensor.elements);
    Prng random(seed, stream++);
    const bool is_gain = tensor.shape.size() == 1;
    const float scale = is_gain ? 1.0f : scale_of(spec, tensor);
    for (float& value : values) value = is_gain ? 1.0f : nearly_normal(random) * scale;
  }
}

}  // namespace muster::state
