#include "trainer/ranks/shard_plan.h"

#include "trainer/optim/muon.h"

namespace muster::trainer {
namespace {

constexpr std::uint64_t kAlignment =
    64;  // parameters: whole cache lines, and whatever vectors a card reads

// The place nearest to `wanted` where parameters may be parted.
std::uint64_t border_near(const compression::Layout& layout, OptimizerKind optimizer,
                          std::uint64_t wanted) {
  for (const compression::Tensor& tensor : layout.tensors()) {
    const std::uint64_t end = tensor.offset + tensor.elements;
    if (wanted >= end) continue;
    if (optimizer == OptimizerKind::kMuon && is_hidden_matrix(tensor))
      return wanted - tensor.offset < end - wanted ? tensor.offset : end;
    return std::max(tensor.offset, wanted / kAlignment * kAlignment);
  }
  return layout.parameters();
}

}  // namespace

ShardPlan make_shard_plan(const compression::Layout& layout, OptimizerKind optimizer,
                          unsigned ranks) {
  MUSTER_CHECK(ranks > 0, "no ranks");
  const std::uint64_t parameters = layout.parameters(), segments = layout.segment_count();
  ShardPlan plan;
  Range optimized, of_segments;
  for (unsigned rank = 0; rank < ranks; ++rank) {
    const bool is_last = rank + 1 == ranks;
    optimized = {
        optimized.end,
        is_last ? parameters : border_near(layout, optimizer, parameters * (rank + 1) / ranks)};
    of_segments = {of_segments.end, segments * (rank + 1) / ranks};
    plan.optimized.push_back(optimized);
    plan.segments.push_back(of_segments);
    const auto first_of = [&](std::uint64_t segment) {
      return segment == segments ? parameters
                                 : layout.segment(static_cast<std::uint32_t>(segment)).offset;
    };
    plan.compressed.push_back({first_of(of_segments.begin), first_of(of_segments.end)});
  }
  return plan;
}

}  // namespace muster::trainer
