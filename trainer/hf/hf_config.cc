#include "trainer/hf/hf_config.h"

#include <charconv>
#include <cstdlib>
#include <limits>
#include <nlohmann/json.hpp>

#include "trainer/hf/json_guard.h"

namespace muster::trainer {
namespace {

using Json = nlohmann::json;
using OrderedJson = nlohmann::ordered_json;

constexpr int kConfigDepth = 8;

// The double whose shortest decimal form is the float's: 1e-05 instead of 9.99999974737875e-06.
double shortest(float value) {
  char text[32] = {};
  std::to_chars(text, text + sizeof(text) - 1, value);
  return std::strtod(text, nullptr);
}

OrderedJson rope_json(const state::RopeScaling& scaling) {
  return {{"rope_type", "llama3"},
          {"factor", shortest(scaling.factor)},
          {"low_freq_factor", shortest(scaling.low_frequency_factor)},
          {"high_freq_factor", shortest(scaling.high_frequency_factor)},
          {"original_max_position_embeddings", scaling.original_context}};
}

Error unsupported(std::string_view key, const Json& value) {
  return {Errc::kInvalidArgument, "config.json: " + std::string(key) + " is " +
                                      value.dump().substr(0, 100) +
                                      "; only plain Llama models are supported"};
}

Error mistyped(std::string_view key, std::string_view expected) {
  return {Errc::kMalformed,
          "config.json: " + std::string(key) + " is missing or not " + std::string(expected)};
}

Result<std::uint32_t> read_count(const Json& json, const char* key) {
  const auto found = json.find(key);
  if (found == json.end() || !found->is_number_unsigned() ||
      found->get<std::uint64_t>() > std::numeric_limits<std::uint32_t>::max())
    return mistyped(key, "a number of 32 bits");
  return found->get<std::uint32_t>();
}

Result<float> read_float(const Json& json, const char* key) {
  const auto found = json.find(key);
  if (found == json.end() || !found->is_number()) return mistyped(key, "a number");
  return found->get<float>();
}

// Absent and null both mean the default.
const Json* find_set(const Json& json, const char* key) {
  const auto found = json.find(key);
  return found == json.end() || found->is_null() ? nullptr : &*found;
}

// What would make the model another than the one that we compute.
Status check_plain_llama(const Json& json) {
  const std::pair<const char*, Json> required[] = {
      {"model_type", "llama"},   {"hidden_act", "silu"}, {"attention_bias", false},
      {"mlp_bias", false},       {"pretraining_tp", 1},  {"quantization_config", nullptr},
      {"attention_dropout", 0.0}};
  for (const auto& [key, expected] : required)
    if (const Json* value = find_set(json, key); value != nullptr && *value != expected)
      return unsupported(key, *value);
  if (find_set(json, "model_type") == nullptr) return mistyped("model_type", "\"llama\"");
  return {};
}

Result<state::RopeScaling> read_llama3(const Json& rope) {
  state::RopeScaling scaling;
  MUSTER_TRY(scaling.factor, read_float(rope, "factor"));
  MUSTER_TRY(scaling.low_frequency_factor, read_float(rope, "low_freq_factor"));
  MUSTER_TRY(scaling.high_frequency_factor, read_float(rope, "high_freq_factor"));
  MUSTER_TRY(scaling.original_context, read_count(rope, "original_max_position_embeddings"));
  return scaling;
}

// rope_parameters (transformers 5) goes before rope_scaling and rope_theta (4).
Status read_rope(const Json& json, state::ModelSpec& model) {
  const Json* rope = find_set(json, "rope_parameters");
  const bool new_style = rope != nullptr;
  if (!new_style) rope = find_set(json, "rope_scaling");
  if (rope != nullptr && !rope->is_object()) return mistyped("rope_parameters", "an object");
  const Json& theta_home = new_style && rope->contains("rope_theta") ? *rope : json;
  if (find_set(theta_home, "rope_theta") != nullptr) {
    MUSTER_TRY(model.rope_theta, read_float(theta_home, "rope_theta"));
  }
  if (rope == nullptr) return {};
  const Json* type = find_set(*rope, "rope_type");
  if (type == nullptr) type = find_set(*rope, "type");
  if (type == nullptr || *type == "default") return {};
  if (*type != "llama3") return unsupported("rope_type", *type);
  MUSTER_TRY(model.rope_scaling, read_llama3(*rope));
  return {};
}

Status read_shape(const Json& json, state::ModelSpec& spec) {
  MUSTER_TRY(spec.d_model, read_count(json, "hidden_size"));
  MUSTER_TRY(spec.layers, read_count(json, "num_hidden_layers"));
  MUSTER_TRY(spec.heads, read_count(json, "num_attention_heads"));
  MUSTER_TRY(spec.d_ff, read_count(json, "intermediate_size"));
  MUSTER_TRY(spec.context, read_count(json, "max_position_embeddings"));
  MUSTER_TRY(spec.vocab, read_count(json, "vocab_size"));
  MUSTER_TRY(spec.norm_epsilon, read_float(json, "rms_norm_eps"));
  spec.kv_heads = spec.heads;
  if (find_set(json, "num_key_value_heads") != nullptr) {
    MUSTER_TRY(spec.kv_heads, read_count(json, "num_key_value_heads"));
  }
  const Json* tied = find_set(json, "tie_word_embeddings");
  if (tied != nullptr && !tied->is_boolean()) return mistyped("tie_word_embeddings", "a boolean");
  spec.tied = tied != nullptr && tied->get<bool>();
  const Json* head = find_set(json, "head_dim");
  if (head != nullptr && (spec.heads == 0 || *head != Json(spec.d_model / spec.heads)))
    return unsupported("head_dim", *head);
  return {};
}

}  // namespace

std::string write_hf_config(const state::ModelSpec& spec, std::optional<std::int32_t> end) {
  OrderedJson rope = {{"rope_type", "default"}};
  if (spec.rope_scaling) rope = rope_json(*spec.rope_scaling);
  const OrderedJson old_scaling = spec.rope_scaling ? rope : OrderedJson(nullptr);
  rope["rope_theta"] = shortest(spec.rope_theta);
  const OrderedJson json = {{"architectures", OrderedJson::array({"LlamaForCausalLM"})},
                            {"model_type", "llama"},
                            {"vocab_size", spec.vocab},
                            {"hidden_size", spec.d_model},
                            {"intermediate_size", spec.d_ff},
                            {"num_hidden_layers", spec.layers},
                            {"num_attention_heads", spec.heads},
                            {"num_key_value_heads", spec.kv_heads},
                            {"head_dim", spec.d_model / spec.heads},
                            {"max_position_embeddings", spec.context},
                            {"rms_norm_eps", shortest(spec.norm_epsilon)},
                            {"rope_parameters", rope},
                            {"rope_theta", shortest(spec.rope_theta)},
                            {"rope_scaling", old_scaling},
                            {"tie_word_embeddings", spec.tied},
                            {"hidden_act", "silu"},
                            {"attention_bias", false},
                            {"attention_dropout", 0.0},
                            {"mlp_bias", false},
                            {"bos_token_id", nullptr},
                            {"eos_token_id", end ? OrderedJson(*end) : OrderedJson(nullptr)},
                            {"dtype", "float32"},
                            {"torch_dtype", "float32"}};
  return json.dump(2) + "\n";
}

Result<state::ModelSpec> read_hf_config(ByteSpan bytes) {
  MUSTER_TRY(const Json json, parse_json(bytes, kConfigDepth, "config.json"));
  if (!json.is_object()) return Error{Errc::kMalformed, "config.json: not an object"};
  MUSTER_TRY_STATUS(check_plain_llama(json));
  state::ModelSpec model;
  MUSTER_TRY_STATUS(read_shape(json, model));
  MUSTER_TRY_STATUS(read_rope(json, model));
  if (Status valid = state::validate(model); !valid)
    return std::move(valid).error().within("config.json");
  return model;
}

}  // namespace muster::trainer
