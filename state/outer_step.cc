#include "state/outer_step.h"

namespace muster::state {

void outer_step(std::span<float> parameters, const compression::SparseUpdate& aggregate,
                float outer_learning_rate) {
  for (std::size_t i = 0; i < aggregate.indices.size(); ++i)
    parameters[aggregate.indices[i]] -= outer_learning_rate * aggregate.values[i];
}

UndoLog outer_step_with_undo(std::span<float> parameters,
                             const compression::SparseUpdate& aggregate,
                             float outer_learning_rate) {
  UndoLog log;
  log.indices = aggregate.indices;
  log.values.reserve(log.indices.size());
  for (std::uint64_t index : log.indices) log.values.push_back(parameters[index]);
  outer_step(parameters, aggregate, outer_learning_rate);
  return log;
}

void undo(std::span<float> parameters, const UndoLog& log) {
  for (std::size_t i = 0; i < log.indices.size(); ++i)
    parameters[log.indices[i]] = log.values[i];
}

}  // namespace muster::state
