// model.safetensors.index.json: which of several files has which tensor, as transformers writes it.
//
//   {"metadata": {"total_size": BYTES}, "weight_map": {TENSOR: FILE, …}}
//
// Thread safety: pure functions.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "compression/layout.h"

namespace muster::trainer {

inline constexpr const char* kWeightsFile = "model.safetensors";
inline constexpr const char* kWeightIndexFile = "model.safetensors.index.json";

// Files by tensor. Every file is a plain name that ends in .safetensors.
// Errors: kMalformed (JSON, no weight_map, a tensor twice, a name that leads to another folder).
[[nodiscard]] Result<std::map<std::string, std::string>> parse_weight_index(ByteSpan json);

struct WeightFile {
  std::string name;
  std::vector<compression::Tensor> tensors;
};

// The layout's tensors in their order, in files of at most `bytes_max` bytes of numbers each, or of
// one tensor that is larger: model.safetensors where one file is enough, else
// model-00001-of-00003.safetensors, ….
[[nodiscard]] std::vector<WeightFile> split_weights(const compression::Layout& layout,
                                                    std::uint64_t bytes_max);

[[nodiscard]] std::string write_weight_index(const std::vector<WeightFile>& files);

}  // namespace muster::trainer
