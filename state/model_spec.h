// ModelSpec: the Llama-style decoder that a run trains, as numbers; its layout and initial values.
//
// Tensor names and shapes are those of Hugging Face's LlamaForCausalLM, in the order of the forward
// pass, so that the flat array and a safetensors file map one to one. Needs no tensor library.
// Thread safety: pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "base/result.h"
#include "compression/layout.h"

namespace muster::state {

// Rotary embeddings stretched for contexts longer than a model was first trained on, "llama3" in
// Hugging Face's modeling_rope_utils: wavelengths over original_context / low_frequency_factor are
// multiplied by `factor`, those under original_context / high_frequency_factor stay, those between
// blend.
struct RopeScaling {
  float factor = 8.0f;
  float low_frequency_factor = 1.0f;
  float high_frequency_factor = 4.0f;
  std::uint32_t original_context = 8192;  // tokens
  bool operator==(const RopeScaling&) const = default;
  template <class Archive>
  void serialize(Archive& archive) {
    archive(factor, low_frequency_factor, high_frequency_factor, original_context);
  }
};

struct ModelSpec {
  std::uint32_t d_model = 128;
  std::uint32_t layers = 2;
  std::uint32_t heads = 4;
  std::uint32_t kv_heads = 4;  // divides heads
  std::uint32_t d_ff = 384;
  std::uint32_t context = 128;  // tokens that a sequence predicts
  std::uint32_t vocab = 256;
  bool tied = true;  // lm_head is the embedding
  float rope_theta = 10000.0f;
  float norm_epsilon = 1e-5f;
  std::optional<RopeScaling> rope_scaling = std::nullopt;
  bool operator==(const ModelSpec&) const = default;
};

// Errors: kInvalidArgument, naming the field and its range.
[[nodiscard]] Status validate(const ModelSpec& spec);

// As layout_of has, without making it. REQUIRES: fields within the ranges that validate() checks.
[[nodiscard]] std::uint64_t parameter_count(const ModelSpec& spec);

// model.embed_tokens.weight; per layer input_layernorm, self_attn.{q,k,v,o}_proj,
// post_attention_layernorm, mlp.{gate,up,down}_proj; model.norm.weight; lm_head.weight unless tied.
// REQUIRES: validate(spec).
[[nodiscard]] compression::Layout layout_of(const ModelSpec& spec);

// Fills `parameters` from the seed by integer-only sampling (sums of Philox words; the one rounding
// is an IEEE multiplication by the tensor's scale), so that every machine starts at the same bits.
// Norm gains 1; embedding 0.02; matrices fan_in^-½, and those that write to the residual stream
// (o_proj, down_proj) (2 · layers)^-½ of that. REQUIRES: layout_of(spec).parameters() floats.
void initial_parameters(const ModelSpec& spec, std::uint64_t seed, std::span<float> parameters);

}  // namespace muster::state
