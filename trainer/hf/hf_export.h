// Export to Hugging Face's layout: config.json, model.safetensors, tokenizer.json.
//
// The folder loads with transformers' AutoModelForCausalLM and AutoTokenizer; the tokenizer is byte-level
// with ids 0..255. Thread safety: pure but for the files.
#pragma once

#include <filesystem>
#include <span>

#include "base/result.h"
#include "state/model_spec.h"

namespace muster::trainer {

// Errors: kNoSpace, kIo; kInvalidArgument (not a byte vocabulary).
[[nodiscard]] Status export_hf(const std::filesystem::path& folder, const state::ModelSpec& model,
                               std::span<const float> parameters);

struct ImportedModel {
  state::ModelSpec model;
  std::vector<float> parameters;
};
// Reads back what export_hf wrote. Errors: kNotFound, kMalformed, kTruncated, naming file and tensor.
[[nodiscard]] Result<ImportedModel> import_hf(const std::filesystem::path& folder);

}  // namespace muster::trainer
