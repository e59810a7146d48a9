#include "state/outer_step.h"

#include <algorithm>

#include "base/check.h"
#include "base/prefetch.h"

namespace muster::state {
namespace {

// Indices ascend strictly, so the last one bounds all.
void check_bounds(std::span<const float> parameters, const std::vector<std::uint64_t>& indices) {
  MUSTER_CHECK(indices.empty() || indices.back() < parameters.size(), "an update of another model");
}

}  // namespace

void outer_step(std::span<float> parameters, const compression::SparseUpdate& aggregate,
                float outer_learning_rate) {
  check_bounds(parameters, aggregate.indices);
  for (std::size_t i = 0; i < aggregate.indices.size(); ++i)
    parameters[aggregate.indices[i]] -= outer_learning_rate * aggregate.values[i];
}

Status outer_step(std::span<float> parameters, const compression::Layout& layout,
                  const compression::Payload& aggregate, float outer_learning_rate,
                  unsigned threads) {
  MUSTER_CHECK(parameters.size() == layout.parameters(), "an update of another model");
  return compression::for_each_block(
      layout, aggregate, threads,
      [&](std::size_t, const compression::Block& block, const compression::BlockEntries& entries) {
        const auto behind = parameters.subspan(block.offset + block.elements);
        prefetch<float>(
            behind.first(std::min<std::size_t>(behind.size(), compression::kBlockElements)));
        float* theta = parameters.data() + block.offset;
        for (std::size_t i = 0; i < entries.indices.size(); ++i)
          theta[entries.indices[i]] -= outer_learning_rate * entries.values[i];
      });
}

UndoLog outer_step_with_undo(std::span<float> parameters,
                             const compression::SparseUpdate& aggregate,
                             float outer_learning_rate) {
  check_bounds(parameters, aggregate.indices);
  UndoLog log;
  log.indices = aggregate.indices;
  log.values.reserve(log.indices.size());
  for (std::uint64_t index : log.indices) log.values.push_back(parameters[index]);
  outer_step(parameters, aggregate, outer_learning_rate);
  return log;
}

void undo(std::span<float> parameters, const UndoLog& log) {
  for (std::size_t i = 0; i < log.indices.size(); ++i) parameters[log.indices[i]] = log.values[i];
}

}  // namespace muster::state
