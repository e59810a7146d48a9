#include "state/tensor_groups.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <string_view>

namespace muster::state {
namespace {

struct LayerTensor {
  std::size_t layer = 0;
  bool is_mlp = false;
};

// None: not of a decoder layer.
std::optional<LayerTensor> layer_tensor(std::string_view name) {
  constexpr std::string_view kPrefix = "model.layers.";
  if (!name.starts_with(kPrefix)) return std::nullopt;
  name.remove_prefix(kPrefix.size());
  LayerTensor tensor;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), tensor.layer);
  if (error != std::errc()) return std::nullopt;
  name.remove_prefix(static_cast<std::size_t>(end - name.data()));
  tensor.is_mlp = name.starts_with(".mlp.") || name.starts_with(".post_attention_layernorm.");
  return tensor;
}

}  // namespace

TensorGroups tensor_groups(const compression::Layout& layout) {
  std::size_t layers = 0;
  for (const auto& tensor : layout.tensors())
    if (const auto of_layer = layer_tensor(tensor.name))
      layers = std::max(layers, of_layer->layer + 1);
  const std::size_t bins = std::min(layers, (kTensorGroupsMax - 1) / 2);
  TensorGroups groups{{}, 1 + 2 * bins};
  for (const auto& tensor : layout.tensors()) {
    const auto of_layer = layer_tensor(tensor.name);
    const std::size_t group =
        of_layer ? 1 + 2 * (of_layer->layer * bins / layers) + (of_layer->is_mlp ? 1 : 0) : 0;
    const Range range{tensor.offset, tensor.offset + tensor.elements};
    if (!groups.pieces.empty() && groups.pieces.back().group == group) {
      groups.pieces.back().parameters.end = range.end;
    } else {
      groups.pieces.push_back({range, group});
    }
  }
  return groups;
}

void multiply_by_group(const TensorGroups& groups, const compression::SparseUpdate& update,
                       std::span<const float> array, std::span<double> sums) {
  std::ranges::fill(sums, 0.0);
  std::size_t i = 0;
  for (const TensorGroups::Piece& piece : groups.pieces) {
    double sum = sums[piece.group];
    for (; i < update.indices.size() && update.indices[i] < piece.parameters.end; ++i)
      sum += static_cast<double>(update.values[i]) * static_cast<double>(array[update.indices[i]]);
    sums[piece.group] = sum;
  }
}

}  // namespace muster::state
