#include "trainer/optim/optimizer.h"

#include "trainer/optim/adamw.h"
#include "trainer/optim/muon.h"

namespace muster::trainer {

std::unique_ptr<Optimizer> make_optimizer(const OptimizerConfig& config,
                                          const compression::Layout& layout, Team& team) {
  if (config.kind == OptimizerKind::kMuon) return std::make_unique<Muon>(config, layout, team);
  return std::make_unique<AdamW>(config, pieces_of(layout, config.decay_vectors), team);
}

std::vector<NamedSize> optimizer_arrays(OptimizerKind kind, const compression::Layout& layout) {
  std::uint64_t adamw = 0, momentum = 0;
  for (const compression::Tensor& tensor : layout.tensors())
    (kind == OptimizerKind::kMuon && is_hidden_matrix(tensor) ? momentum : adamw) +=
        tensor.elements;
  std::vector<NamedSize> arrays{{"adamw.first", adamw}, {"adamw.second", adamw}};
  if (kind == OptimizerKind::kMuon) arrays.push_back({"muon.momentum", momentum});
  return arrays;
}

std::uint64_t optimizer_floats(OptimizerKind kind, const compression::Layout& layout) {
  std::uint64_t floats = 0;
  for (const NamedSize& array : optimizer_arrays(kind, layout)) floats += array.floats;
  return floats;
}

}  // namespace muster::trainer
