#include "cli/inspection.h"

#include <algorithm>
#include <cmath>
#include <map>

namespace muster::cli {
namespace {

std::string shape_of(const compression::Tensor& tensor) {
  std::string text;
  for (std::uint64_t size : tensor.shape)
    text += (text.empty() ? "" : " x ") + std::to_string(size);
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

namespace {

// Of all parts together.
struct Coding {
  std::uint64_t entries = 0;
  double bound_bits = 0;  // log2 of how many index sets the blocks have
  double index_bits = 0;
};

// Adds a part; clears `full` of each block in which it holds less than it could.
Status add(Coding& coding, const compression::Layout& layout, const compression::Payload& part,
           std::vector<bool>& full) {
  std::vector<float> dense(layout.parameters());
  std::uint64_t entries = 0, b = 0;
  MUSTER_TRY_STATUS(compression::for_each_block(
      layout, part, 1,
      [&](std::size_t, const compression::Block& block, const compression::BlockEntries& kept) {
        for (std::size_t i = 0; i < kept.indices.size(); ++i)
          dense[block.offset + kept.indices[i]] = kept.values[i];
        coding.bound_bits += log2_choose(block.elements, static_cast<double>(kept.indices.size()));
        entries += kept.indices.size();
        if (kept.indices.size() < compression::kept_in_block(part.format.keep, block.elements))
          full[b] = false;
        ++b;
      }));
  // The same indices with 32 bits for each value: what is left are the indices.
  MUSTER_TRY(
      const auto plain,
      compression::compress(layout, {part.format.keep, compression::ValueFormat::kFloat32}, dense));
  coding.entries += entries;
  coding.index_bits +=
      8 * static_cast<double>(bytes_of_segments(plain)) - 32 * static_cast<double>(entries);
  return {};
}

}  // namespace

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
  std::size_t tensor = 0;
  for (std::size_t i = 0; i < update.indices.size(); ++i) {
    const auto& tensors = layout.tensors();
    while (tensors[tensor].offset + tensors[tensor].elements <= update.indices[i]) ++tensor;
    add(result.tensors[tensor], update.values[i]);
  }
  result.norm = finish(result.tensors);
  MUSTER_TRY(const auto parts, compression::split_parts(payload));
  Coding coding;
  std::vector<bool> full(layout.block_count(), true);
  for (const compression::Payload& part : parts) MUSTER_TRY_STATUS(add(coding, layout, part, full));
  result.full_blocks = static_cast<std::uint64_t>(std::ranges::count(full, true));
  if (coding.entries == 0) return result;
  const auto entries = static_cast<double>(coding.entries);
  result.bits_per_index = coding.index_bits / entries;
  result.bound_bits_per_index = coding.bound_bits / entries;
  result.bits_per_value = static_cast<double>(result.bytes) * 8 / entries - result.bits_per_index;
  return result;
}

ArrayInspection inspect_array(const compression::Layout& layout, std::string name,
                              std::span<const float> values) {
  ArrayInspection result{std::move(name), 0, rows_of(layout), octaves_of(values)};
  for (std::size_t t = 0; t < result.tensors.size(); ++t) {
    const compression::Tensor& tensor = layout.tensors()[t];
    for (float value : values.subspan(tensor.offset, tensor.elements))
      add(result.tensors[t], value);
  }
  result.norm = finish(result.tensors);
  return result;
}

}  // namespace muster::cli
