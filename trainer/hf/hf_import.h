// Import of a Hugging Face folder: config.json and the weights, in one file or in several with an
// index.
//
// Numbers are F32, BF16 or F16 and become the same fp32 numbers. Thread safety: pure but for the
// files.
#pragma once

#include <filesystem>
#include <vector>

#include "base/result.h"
#include "state/model_spec.h"

namespace muster::trainer {

struct ImportedModel {
  state::ModelSpec model;
  std::vector<float> parameters;  // in the layout of `model`
};

// Every tensor of the model must be there once and nothing else, but for rotary_emb.inv_freq, and
// for a tied model's lm_head.weight that equals its embedding. Errors, naming file and tensor:
// kNotFound, kTruncated, kMalformed (also missing, extra and misshapen tensors), kInvalidArgument
// (a configuration or number format that is not ours), kNonFinite.
[[nodiscard]] Result<ImportedModel> import_hf(const std::filesystem::path& folder);

// The configuration alone. Errors: kNotFound and those of read_hf_config, naming the file.
[[nodiscard]] Result<state::ModelSpec> read_hf_model(const std::filesystem::path& folder);

// The model's parameters out of one safetensors file. Errors: as import_hf's.
[[nodiscard]] Result<std::vector<float>> read_parameters(const std::filesystem::path& file,
                                                         const state::ModelSpec& model);

}  // namespace muster::trainer
