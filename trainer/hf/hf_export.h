// Export to Hugging Face's layout: config.json, model.safetensors or several files with an index,
// the tokenizer.
//
// The folder loads with transformers' AutoModelForCausalLM and AutoTokenizer; hf_import.h reads it
// back. Thread safety: pure but for the files.
#pragma once

#include <filesystem>
#include <span>

#include "base/result.h"
#include "state/model_spec.h"
#include "trainer/hf/hf_import.h"
#include "trainer/hf/tokenizer_files.h"

namespace muster::trainer {

struct ExportOptions {
  std::uint64_t file_bytes_max = 5'000'000'000;  // of weights per file, as transformers has it
  // A folder of packed data, of a run or of a model, whose tokenizer goes along: tokenizer.model,
  // tokenizer.json, tokenizer_config.json, special_tokens_map.json, from it or from the folder
  // `data` in it.
  std::filesystem::path tokenizer_folder;
};

struct ExportReport {
  TokenizerSource tokenizer = TokenizerSource::kNone;
  std::size_t weight_files = 1;
};

// Weights are written straight from `parameters`, file by file; those of an earlier export into the
// folder that do not belong to this one are deleted. Where no tokenizer is found, a vocabulary of
// 256 gets the byte tokenizer, any other one none. Errors: kNoSpace, kIo; kInvalidArgument (a
// tokenizer with more tokens than the model).
[[nodiscard]] Result<ExportReport> export_hf(const std::filesystem::path& folder,
                                             const state::ModelSpec& model,
                                             std::span<const float> parameters,
                                             const ExportOptions& options = {});

}  // namespace muster::trainer
