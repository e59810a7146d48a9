#include "cli/inspection.h"

#include <algorithm>
#include <cmath>
#include <map>

namespace muster::cli {
namespace {

std::string shape_of(const compression::Tensor& tensor) {
  std::string text;
  for (std::uint64_t size : tensor.shape) text += (text.empty() ? "" : " x ") + std::to_string(size);
  return text;
}

std::vector<TensorRow> rows_of(const compression::Layout& layout) {
  std::vector<TensorRow> rows;
  for (const compression::Tensor& tensor : layout.tensors())
    rows.push_back({tensor.name, shape_of(tensor), tensor.elements, 0, 0, 0});
  return rows;
}

// Adds values up, square by square.
void add(TensorRow& row, float value) {
  const double magnitude = std::fabs(static_cast<double>(value));
  row.entries += magnitude > 0 ? 1 : 0;
  row.norm += magnitude * magnitude;
  row.largest = std::max(row.largest, magnitude);
}

double finish(std::vector<TensorRow>& rows) {
  double square = 0;
  for (TensorRow& row : rows) {
    square += row.norm;
    row.norm = std::sqrt(row.norm);
  }
  return std::sqrt(square);
}

double log2_choose(double n, double k) {
  return (std::lgamma(n + 1) - std::lgamma(k + 1) - std::lgamma(n - k + 1)) / std::log(2);
}

std::uint64_t bytes_of_segments(const compression::Payload& payload) {
  std::uint64_t bytes = 0;
  for (const Bytes& segment : payload.segments) bytes += segment.size();
  return bytes;
}

}  // namespace

Octaves octaves_of(std::span<const float> values) {
  std::map<int, std::uint64_t> counts;
  for (float value : values)
    if (value != 0) ++counts[std::ilogb(value)];
  if (counts.empty()) return {};
  Octaves octaves{counts.begin()->first, {}};
  octaves.counts.resize(static_cast<std::size_t>(counts.rbegin()->first - octaves.first) + 1);
  for (const auto& [exponent, count] : counts)
    octaves.counts[static_cast<std::size_t>(exponent - octaves.first)] = count;
  return octaves;
}

Result<PayloadInspection> inspect_payload(const compression::Layout& layout,
                                          const compression::Payload& payload) {
  MUSTER_TRY(const auto update, compression::decode(layout, payload));
  PayloadInspection result{.format = payload.format,
                           .parameters = layout.parameters(),
                           .entries = update.indices.size(),
                           .bytes = bytes_of_segments(payload),
                           .blocks = layout.block_count(),
                           .tensors = rows_of(layout),
                           .octaves = octaves_of(update.values)};
  std::vector<float> dense(layout.parameters());
  std::size_t next = 0, tensor = 0;
  double bound = 0;
  for (std::uint64_t b = 0; b < layout.block_count(); ++b) {
    const compression::Block& block = layout.block(b);
    while (layout.tensors()[tensor].offset + layout.tensors()[tensor].elements <= block.offset) ++tensor;
    std::uint32_t count = 0;
    for (; next < update.indices.size() && update.indices[next] < block.offset + block.elements;
         ++next, ++count) {
      dense[update.indices[next]] = update.values[next];
      add(result.tensors[tensor], update.values[next]);
    }
    bound += log2_choose(block.elements, count);
    result.full_blocks += count == compression::kept_in_block(payload.format.keep, block.elements) ? 1 : 0;
  }
  result.norm = finish(result.tensors);
  if (result.entries == 0) return result;
  // The same indices with 32 bits for each value: what is left are the indices.
  MUSTER_TRY(const auto plain,
             compression::compress(layout, {payload.format.keep, compression::ValueFormat::kFloat32}, dense));
  const auto entries = static_cast<double>(result.entries);
  result.bits_per_index = static_cast<double>(bytes_of_segments(plain)) * 8 / entries - 32;
  result.bound_bits_per_index = bound / entries;
  result.bits_per_value = static_cast<double>(result.bytes) * 8 / entries - result.bits_per_index;
  return result;
}

ArrayInspection inspect_array(const compression::Layout& layout, std::string name,
                              std::span<const float> values) {
  ArrayInspection result{std::move(name), 0, rows_of(layout), octaves_of(values)};
  for (std::size_t t = 0; t < result.tensors.size(); ++t) {
    const compression::Tensor& tensor = layout.tensors()[t];
    for (float value : values.subspan(tensor.offset, tensor.elements)) add(result.tensors[t], value);
  }
  result.norm = finish(result.tensors);
  return result;
}

}  // namespace muster::cli
