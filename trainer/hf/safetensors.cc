#include "trainer/hf/safetensors.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "base/limits.h"
#include "trainer/hf/float_formats.h"
#include "trainer/hf/json_guard.h"

namespace muster::trainer {
namespace {

using nlohmann::json;

constexpr std::uint64_t kHeaderBytesMax = 16u << 20;
constexpr int kHeaderDepth = 3;  // {name: {shape: [ … ]}}

const std::map<std::string, std::uint64_t>& element_bytes() {
  static const std::map<std::string, std::uint64_t> bytes{
      {"F64", 8}, {"I64", 8}, {"U64", 8}, {"F32", 4}, {"I32", 4}, {"U32", 4}, {"BF16", 2},
      {"F16", 2}, {"I16", 2}, {"U16", 2}, {"I8", 1},  {"U8", 1},  {"BOOL", 1}};
  return bytes;
}

Error malformed(const std::string& name, const std::string& what) {
  return {Errc::kMalformed, "safetensors tensor '" + name + "': " + what};
}

struct Entry {
  std::uint64_t begin = 0, end = 0;
  StoredTensor tensor;
};

Result<Entry> parse_entry(const std::string& name, const json& value, ByteSpan data) {
  if (!value.is_object() || !value.contains("dtype") || !value["dtype"].is_string() ||
      !value.contains("shape") || !value["shape"].is_array() || !value.contains("data_offsets") ||
      !value["data_offsets"].is_array() || value["data_offsets"].size() != 2)
    return malformed(name, "needs dtype, shape and two data_offsets");
  Entry entry;
  entry.tensor.dtype = value["dtype"].get<std::string>();
  const auto bytes = element_bytes().find(entry.tensor.dtype);
  if (bytes == element_bytes().end()) return malformed(name, "unknown dtype");
  std::uint64_t size = bytes->second;
  for (const json& dimension : value["shape"]) {
    if (!dimension.is_number_unsigned()) return malformed(name, "a dimension that is no number");
    const auto extent = dimension.get<std::uint64_t>();
    if (extent != 0 && size > limits::kBlobBytesMax / extent) return malformed(name, "too large");
    size *= extent;
    entry.tensor.shape.push_back(extent);
  }
  for (const json& offset : value["data_offsets"])
    if (!offset.is_number_unsigned()) return malformed(name, "an offset that is no number");
  entry.begin = value["data_offsets"][0].get<std::uint64_t>();
  entry.end = value["data_offsets"][1].get<std::uint64_t>();
  if (entry.begin > entry.end || entry.end > data.size())
    return malformed(name, "offsets outside the file");
  if (entry.end - entry.begin != size) return malformed(name, "offsets that do not fit its shape");
  entry.tensor.bytes = data.subspan(entry.begin, size);
  return entry;
}

}  // namespace

Result<std::map<std::string, StoredTensor>> parse_safetensors(ByteSpan file) {
  ByteReader reader(file);
  const auto header_bytes = reader.read<std::uint64_t>();
  if (reader.failed()) return Error{Errc::kTruncated, "safetensors: shorter than its first number"};
  if (header_bytes > kHeaderBytesMax)
    return Error{Errc::kTooLarge, "safetensors: a header over 16 MiB"};
  const ByteSpan header = reader.take(header_bytes);
  if (reader.failed()) return Error{Errc::kTruncated, "safetensors: shorter than its header"};
  const ByteSpan data = reader.take(reader.remaining());
  MUSTER_TRY(const json parsed, parse_json(header, kHeaderDepth, "safetensors header"));
  if (!parsed.is_object())
    return Error{Errc::kMalformed, "safetensors: the header is no JSON object"};

  std::map<std::string, StoredTensor> tensors;
  std::vector<std::pair<std::uint64_t, std::uint64_t>> ranges;
  for (const auto& [name, value] : parsed.items()) {
    if (name == "__metadata__") continue;
    MUSTER_TRY(Entry entry, parse_entry(name, value, data));
    ranges.emplace_back(entry.begin, entry.end);
    tensors.emplace(name, std::move(entry.tensor));
  }
  std::sort(ranges.begin(), ranges.end());
  std::uint64_t next = 0;
  for (const auto& [begin, end] : ranges) {
    if (begin != next) return Error{Errc::kMalformed, "safetensors: tensors overlap or leave gaps"};
    next = end;
  }
  if (next != data.size())
    return Error{Errc::kMalformed, "safetensors: bytes after the last tensor"};
  return tensors;
}

namespace {

template <float (*kConvert)(std::uint16_t)>
void convert(ByteSpan from, std::span<float> out) {
  for (std::size_t i = 0; i < out.size(); ++i) {
    std::uint16_t bits = 0;
    std::memcpy(&bits, from.data() + i * 2, 2);
    out[i] = kConvert(bits);
  }
}

}  // namespace

Status read_floats(const StoredTensor& tensor, std::span<float> out) {
  const std::uint64_t width = tensor.dtype == "F32" ? 4 : 2;
  if (tensor.dtype != "F32" && tensor.dtype != "BF16" && tensor.dtype != "F16")
    return Error{Errc::kInvalidArgument,
                 "stored as " + tensor.dtype + "; read are F32, BF16 and F16"};
  if (tensor.bytes.size() != out.size() * width)
    return Error{Errc::kInvalidArgument, std::to_string(tensor.bytes.size() / width) +
                                             " numbers where " + std::to_string(out.size()) +
                                             " belong"};
  if (width == 4) {
    std::memcpy(out.data(), tensor.bytes.data(), tensor.bytes.size());
  } else {
    tensor.dtype == "BF16" ? convert<float_of_bf16>(tensor.bytes, out)
                           : convert<float_of_f16>(tensor.bytes, out);
  }
  if (!std::all_of(out.begin(), out.end(), [](float value) { return std::isfinite(value); }))
    return Error{Errc::kNonFinite, "a NaN or an infinity in it"};
  return {};
}

namespace {

// Length and header; the data that follow start aligned.
Bytes header_of(std::span<const compression::Tensor> tensors) {
  nlohmann::ordered_json header;
  header["__metadata__"] = {{"format", "pt"}};
  std::uint64_t offset = 0;
  for (const auto& tensor : tensors) {
    const std::uint64_t end = offset + tensor.elements * 4;
    header[tensor.name] = {
        {"dtype", "F32"}, {"shape", tensor.shape}, {"data_offsets", {offset, end}}};
    offset = end;
  }
  std::string text = header.dump();
  text.resize((text.size() + 7) / 8 * 8, ' ');
  ByteWriter writer;
  writer.write(static_cast<std::uint64_t>(text.size()));
  writer.append(bytes_of(text));
  return std::move(writer).take();
}

}  // namespace

Status write_safetensors(const std::filesystem::path& path,
                         std::span<const compression::Tensor> tensors,
                         std::span<const float> parameters) {
  return replace_file_with(path, [&](const FileSink& write) -> Status {
    MUSTER_TRY_STATUS(write(header_of(tensors)));
    for (const auto& tensor : tensors)
      MUSTER_TRY_STATUS(write(bytes_of(parameters.subspan(tensor.offset, tensor.elements))));
    return {};
  });
}

}  // namespace muster::trainer
