#include "trainer/hf_export.h"

#include <nlohmann/json.hpp>

#include "base/file.h"
#include "base/limits.h"
#include "trainer/safetensors.h"

namespace muster::trainer {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;

constexpr std::size_t kConfigBytesMax = 1u << 20;

// Keys of transformers 4 and 5 alike: each reads its own and ignores the other's.
ordered_json config_of(const state::ModelSpec& model) {
  return {{"architectures", {"LlamaForCausalLM"}},
          {"model_type", "llama"},
          {"hidden_size", model.d_model},
          {"intermediate_size", model.d_ff},
          {"num_hidden_layers", model.layers},
          {"num_attention_heads", model.heads},
          {"num_key_value_heads", model.kv_heads},
          {"head_dim", model.d_model / model.heads},
          {"vocab_size", model.vocab},
          {"max_position_embeddings", model.context},
          {"rms_norm_eps", model.norm_epsilon},
          {"hidden_act", "silu"},
          {"attention_bias", false},
          {"mlp_bias", false},
          {"tie_word_embeddings", model.tied},
          {"rope_theta", model.rope_theta},
          {"rope_scaling", nullptr},
          {"rope_parameters", {{"rope_type", "default"}, {"rope_theta", model.rope_theta}}},
          {"bos_token_id", nullptr},
          {"eos_token_id", nullptr},
          {"pad_token_id", nullptr},
          {"torch_dtype", "float32"},
          {"dtype", "float32"}};
}

std::string utf8(unsigned code) {
  if (code < 0x80) return std::string(1, static_cast<char>(code));
  return {static_cast<char>(0xc0 | code >> 6), static_cast<char>(0x80 | (code & 0x3f))};
}

// The byte-level alphabet of GPT-2's tokenizer: printable bytes stand for themselves, the others for the
// code points from 256 on. (Radford et al., "Language models are unsupervised multitask learners", 2019.)
std::string character_of(unsigned byte) {
  auto printable = [](unsigned b) {
    return (b >= '!' && b <= '~') || (b >= 0xa1 && b <= 0xac) || (b >= 0xae && b <= 0xff);
  };
  if (printable(byte)) return utf8(byte);
  unsigned next = 256;
  for (unsigned b = 0; b < byte; ++b) next += printable(b) ? 0 : 1;
  return utf8(next);
}

ordered_json byte_tokenizer() {
  ordered_json vocabulary = ordered_json::object();
  for (unsigned byte = 0; byte < 256; ++byte) vocabulary[character_of(byte)] = byte;
  const ordered_json byte_level = {{"type", "ByteLevel"},
                                   {"add_prefix_space", false},
                                   {"trim_offsets", true},
                                   {"use_regex", false}};
  return {{"version", "1.0"},
          {"truncation", nullptr},
          {"padding", nullptr},
          {"added_tokens", ordered_json::array()},
          {"normalizer", nullptr},
          {"pre_tokenizer", byte_level},
          {"post_processor", nullptr},
          {"decoder", byte_level},
          {"model",
           {{"type", "BPE"},
            {"dropout", nullptr},
            {"unk_token", nullptr},
            {"continuing_subword_prefix", nullptr},
            {"end_of_word_suffix", nullptr},
            {"fuse_unk", false},
            {"byte_fallback", false},
            {"vocab", vocabulary},
            {"merges", ordered_json::array()}}}};
}

Status write_json(const std::filesystem::path& path, const ordered_json& content) {
  return replace_file(path, bytes_of(content.dump(2) + "\n"));
}

}  // namespace

Status export_hf(const std::filesystem::path& folder, const state::ModelSpec& model,
                 std::span<const float> parameters) {
  if (model.vocab != 256)
    return Error{Errc::kInvalidArgument, "only byte vocabularies of 256 are exported so far"};
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) return Error{Errc::kIo, folder.string() + ": " + error.message()};
  MUSTER_TRY_STATUS(write_json(folder / "config.json", config_of(model)));
  MUSTER_TRY_STATUS(write_json(folder / "tokenizer.json", byte_tokenizer()));
  MUSTER_TRY_STATUS(write_json(folder / "tokenizer_config.json",
                               {{"tokenizer_class", "PreTrainedTokenizerFast"},
                                {"clean_up_tokenization_spaces", false},
                                {"model_max_length", model.context}}));
  return replace_file(folder / "model.safetensors",
                      format_safetensors(state::layout_of(model), parameters));
}

namespace {

// transformers 4 writes rope_theta and rope_scaling, transformers 5 rope_parameters.
Result<double> read_rope_theta(const json& config, const std::filesystem::path& path) {
  const json rope = config.value("rope_parameters", json::object());
  const json scaling = config.value("rope_scaling", json());
  const std::string kind = scaling.is_object()
                               ? scaling.value("rope_type", scaling.value("type", "unknown"))
                               : rope.value("rope_type", "default");
  if (kind != "default")
    return Error{Errc::kInvalidArgument,
                 path.string() + ": RoPE scaling '" + kind + "' is not supported yet"};
  if (config.contains("rope_theta") && config["rope_theta"].is_number())
    return config["rope_theta"].get<double>();
  if (rope.contains("rope_theta") && rope["rope_theta"].is_number())
    return rope["rope_theta"].get<double>();
  return Error{Errc::kMalformed, path.string() + ": no rope_theta"};
}

}  // namespace

Result<ImportedModel> import_hf(const std::filesystem::path& folder) {
  const auto config_path = folder / "config.json";
  MUSTER_TRY(const Bytes text, read_file(config_path, kConfigBytesMax));
  const json config = json::parse(text.begin(), text.end(), nullptr, false);
  if (!config.is_object()) return Error{Errc::kMalformed, config_path.string() + ": no JSON object"};
  auto number = [&](const char* key) -> Result<double> {
    if (config.contains(key) && config[key].is_number())
      return config[key].get<double>();
    return Error{Errc::kMalformed, config_path.string() + ": '" + key + "' is missing or no number"};
  };
  ImportedModel imported;
  auto read_u32 = [&](const char* key, std::uint32_t& field) -> Status {
    MUSTER_TRY(const double value, number(key));
    if (value < 1 || value > 1e9)
      return Error{Errc::kMalformed, config_path.string() + ": '" + key + "' is out of range"};
    field = static_cast<std::uint32_t>(value);
    return {};
  };
  MUSTER_TRY_STATUS(read_u32("hidden_size", imported.model.d_model));
  MUSTER_TRY_STATUS(read_u32("intermediate_size", imported.model.d_ff));
  MUSTER_TRY_STATUS(read_u32("num_hidden_layers", imported.model.layers));
  MUSTER_TRY_STATUS(read_u32("num_attention_heads", imported.model.heads));
  MUSTER_TRY_STATUS(read_u32("num_key_value_heads", imported.model.kv_heads));
  MUSTER_TRY_STATUS(read_u32("vocab_size", imported.model.vocab));
  MUSTER_TRY_STATUS(read_u32("max_position_embeddings", imported.model.context));
  MUSTER_TRY(const double epsilon, number("rms_norm_eps"));
  MUSTER_TRY(const double theta, read_rope_theta(config, config_path));
  imported.model.norm_epsilon = static_cast<float>(epsilon);
  imported.model.rope_theta = static_cast<float>(theta);
  imported.model.tied = config.value("tie_word_embeddings", false);
  MUSTER_TRY_STATUS(state::validate(imported.model));

  MUSTER_TRY(const MappedFile file, MappedFile::open(folder / "model.safetensors",
                                                     MappedFile::Access::kRead));
  MUSTER_TRY(const auto tensors, parse_safetensors(file.bytes()));
  const auto layout = state::layout_of(imported.model);
  imported.parameters.resize(layout.parameters());
  for (const auto& tensor : layout.tensors()) {
    const auto found = tensors.find(tensor.name);
    if (found == tensors.end() || found->second.dtype != "F32" ||
        found->second.shape != tensor.shape)
      return Error{Errc::kMalformed, (folder / "model.safetensors").string() + ": tensor '" +
                                         tensor.name + "' is missing or not F32 of the right shape"};
    std::memcpy(imported.parameters.data() + tensor.offset, found->second.bytes.data(),
                found->second.bytes.size());
  }
  return imported;
}

}  // namespace muster::trainer
