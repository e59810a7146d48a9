#include "cuda/llama/model_on.h"

#include <string>

namespace muster::gpu {

Status check_model(const state::ModelSpec& spec) {
  MUSTER_TRY_STATUS(state::validate(spec));
  const state::Shape shape(spec);
  const auto refused = [](const std::string& what) {
    return Error{Errc::kInvalidArgument,
                 "on a card " + what + "; change [model] or train with --device cpu"};
  };
  if (shape.head_width != 32 && shape.head_width != 64 && shape.head_width != 128)
    return refused("a head is 32, 64 or 128 wide, not d_model / heads = " +
                   std::to_string(shape.head_width));
  if (shape.width > kWidthMax)
    return refused("d_model is at most " + std::to_string(kWidthMax) + ", not " +
                   std::to_string(shape.width));
  if (shape.feed_forward % 8 != 0)
    return refused("d_ff is a multiple of 8, not " + std::to_string(shape.feed_forward));
  if (shape.vocab % 8 != 0)
    return refused("vocab is a multiple of 8, not " + std::to_string(shape.vocab));
  if (shape.context > kAttentionLengthMax)
    return refused("context is at most " + std::to_string(kAttentionLengthMax) + ", not " +
                   std::to_string(shape.context));
  return {};
}

namespace {

bool is_hidden_matrix(const compression::Tensor& tensor) {
  return tensor.shape.size() == 2 && tensor.name.starts_with("model.layers.");
}

}  // namespace

std::vector<AdamwChunk> adamw_chunks(const compression::Layout& layout,
                                     const OptimizerConfig& optimizer) {
  std::vector<AdamwChunk> chunks;
  std::uint64_t state_offset = 0;
  for (const compression::Tensor& tensor : layout.tensors()) {
    if (optimizer.kind == OptimizerKind::kMuon && is_hidden_matrix(tensor)) continue;
    const std::uint32_t decays = optimizer.decay_vectors || tensor.shape.size() > 1 ? 1 : 0;
    for (std::uint64_t first = 0; first < tensor.elements; first += kChunkElements) {
      const auto elements = static_cast<std::uint32_t>(
          std::min<std::uint64_t>(kChunkElements, tensor.elements - first));
      chunks.push_back({tensor.offset + first, state_offset + first, elements, decays});
    }
    state_offset += tensor.elements;
  }
  return chunks;
}

std::vector<HiddenMatrix> hidden_matrices(const compression::Layout& layout) {
  std::vector<HiddenMatrix> matrices;
  std::uint64_t state_offset = 0;
  for (const compression::Tensor& tensor : layout.tensors()) {
    if (!is_hidden_matrix(tensor)) continue;
    matrices.push_back({tensor.offset, state_offset, tensor.shape[0], tensor.shape[1]});
    state_offset += tensor.elements;
  }
  return matrices;
}

}  // namespace muster::gpu
