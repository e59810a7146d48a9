#include "trainer/hf/hf_export.h"

#include "base/file.h"
#include "base/limits.h"
#include "trainer/data/byte_tokenizer.h"
#include "trainer/hf/hf_config.h"
#include "trainer/hf/safetensors.h"

namespace muster::trainer {
namespace {

constexpr std::size_t kConfigBytesMax = 1u << 20;

}  // namespace

Status export_hf(const std::filesystem::path& folder, const state::ModelSpec& model,
                 std::span<const float> parameters) {
  if (model.vocab != kByteVocab)
    return Error{Errc::kInvalidArgument, "only byte vocabularies of 256 are exported so far"};
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) return Error{Errc::kIo, folder.string() + ": " + error.message()};
  const std::pair<const char*, std::string> texts[] = {
      {"config.json", write_hf_config(model)},
      {"tokenizer.json", byte_tokenizer_json()},
      {"tokenizer_config.json", byte_tokenizer_config_json(model.context)}};
  for (const auto& [name, text] : texts)
    MUSTER_TRY_STATUS(replace_file(folder / name, bytes_of(text)));
  return replace_file(folder / "model.safetensors",
                      format_safetensors(state::layout_of(model), parameters));
}

Result<ImportedModel> import_hf(const std::filesystem::path& folder) {
  const auto config_path = folder / "config.json";
  MUSTER_TRY(const Bytes text, read_file(config_path, kConfigBytesMax));
  ImportedModel imported;
  MUSTER_TRY(imported.model, read_hf_config(text));

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
