#include "trainer/hf/hf_export.h"

#include <algorithm>
#include <string_view>

#include "base/file.h"
#include "trainer/hf/hf_config.h"
#include "trainer/hf/safetensors.h"
#include "trainer/hf/weight_index.h"

namespace muster::trainer {
namespace fs = std::filesystem;
namespace {

// model.safetensors or model-00001-of-00003.safetensors.
bool is_weight_file(std::string_view name) {
  constexpr std::string_view kForm = "model-#####-of-#####.safetensors";
  return name == kWeightsFile ||
         std::equal(name.begin(), name.end(), kForm.begin(), kForm.end(), [](char c, char form) {
           return form == '#' ? c >= '0' && c <= '9' : c == form;
         });
}

// Weights that would be read instead of, or beside, those of this export.
Status remove_other_weights(const fs::path& folder, const std::vector<WeightFile>& files) {
  std::error_code error;
  if (files.size() == 1) fs::remove(folder / kWeightIndexFile, error);
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    const std::string name = it->path().filename().string();
    const bool ours = std::any_of(files.begin(), files.end(),
                                  [&](const WeightFile& f) { return f.name == name; });
    if (!ours && is_weight_file(name)) fs::remove(it->path(), error);
  }
  if (error) return Error{Errc::kIo, folder.string() + ": " + error.message()};
  return {};
}

Status write_weights(const fs::path& folder, const std::vector<WeightFile>& files,
                     std::span<const float> parameters) {
  for (const WeightFile& file : files)
    MUSTER_TRY_STATUS(write_safetensors(folder / file.name, file.tensors, parameters));
  if (files.size() > 1)
    MUSTER_TRY_STATUS(replace_file(folder / kWeightIndexFile, bytes_of(write_weight_index(files))));
  return remove_other_weights(folder, files);
}

}  // namespace

Result<ExportReport> export_hf(const fs::path& folder, const state::ModelSpec& model,
                               std::span<const float> parameters, const ExportOptions& options) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) return Error{Errc::kIo, folder.string() + ": " + error.message()};
  MUSTER_TRY(const ExportedTokenizer tokenizer,
             tokenizer_for_export(options.tokenizer_folder, model));
  for (const TokenizerFile& file : tokenizer.files)
    MUSTER_TRY_STATUS(replace_file(folder / file.name, bytes_of(file.content)));
  MUSTER_TRY_STATUS(
      replace_file(folder / "config.json", bytes_of(write_hf_config(model, tokenizer.end))));
  const auto files = split_weights(state::layout_of(model), options.file_bytes_max);
  MUSTER_TRY_STATUS(write_weights(folder, files, parameters));
  return ExportReport{tokenizer.source, files.size()};
}

}  // namespace muster::trainer
