// safetensors files (format of huggingface/safetensors, README "Format"): u64 header length, a JSON
// header {name: {dtype, shape, data_offsets}}, then the tensors' bytes without gaps.
//
// Every number of a header is checked against the file before it is used. Thread safety: values.
#pragma once

#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "compression/layout.h"

namespace muster::trainer {

struct StoredTensor {
  std::string dtype;  // "F32", "BF16", "I64", …
  std::vector<std::uint64_t> shape;
  ByteSpan bytes;  // into the file's content
};

// Errors: kTruncated, kTooLarge (a header over 16 MiB), kMalformed (JSON, types, offsets that
// overlap, leave gaps or do not fit the shape), naming the tensor.
[[nodiscard]] Result<std::map<std::string, StoredTensor>> parse_safetensors(ByteSpan file);

// The tensor's numbers, exactly. Errors: kInvalidArgument (not F32, BF16 or F16, or not as many as
// `out` has room for), kNonFinite (a NaN or an infinity).
[[nodiscard]] Status read_floats(const StoredTensor& tensor, std::span<float> out);

// Writes tensors of a layout as F32, straight from the flat array: no copy of it is made. The file
// appears under its name when it is whole and on disk. Errors: kNoSpace, kIo.
[[nodiscard]] Status write_safetensors(const std::filesystem::path& path,
                                       std::span<const compression::Tensor> tensors,
                                       std::span<const float> parameters);

}  // namespace muster::trainer
