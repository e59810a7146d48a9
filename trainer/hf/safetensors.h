// safetensors files (format of huggingface/safetensors, README "Format"): u64 header length, a JSON header
// {name: {dtype, shape, data_offsets}}, then the tensors' bytes without gaps.
//
// Every number of a header is checked against the file before it is used. Thread safety: values.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "compression/layout.h"

namespace muster::trainer {

struct StoredTensor {
  std::string dtype;  // "F32", "BF16", "I64", …
  std::vector<std::uint64_t> shape;
  ByteSpan bytes;     // into the file's content
};

// Errors: kTruncated, kTooLarge (a header over 16 MiB), kMalformed (JSON, types, offsets that overlap,
// leave gaps or do not fit the shape), naming the tensor.
[[nodiscard]] Result<std::map<std::string, StoredTensor>> parse_safetensors(ByteSpan file);

// All tensors of the layout as F32.
[[nodiscard]] Bytes format_safetensors(const compression::Layout& layout,
                                       std::span<const float> parameters);

}  // namespace muster::trainer
