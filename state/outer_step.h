// The outer step: the one update of the shared model per round. θ' = θ − lr · aggregate.
//
// Each touched parameter: fp32 product, then fp32 subtraction, no fused multiply-add, so that every
// node on every path gets the same bits. Thread safety: pure functions.
#pragma once

#include <span>
#include <vector>

#include "compression/payload.h"

namespace muster::state {

// REQUIRES: every index of `aggregate` < parameters.size().
void outer_step(std::span<float> parameters, const compression::SparseUpdate& aggregate,
                float outer_learning_rate);

// The same from the payload itself, on several threads, without keeping what it decodes to.
// Errors: those of compression::decode; θ is then partly stepped. REQUIRES: θ of this layout.
[[nodiscard]] Status outer_step(std::span<float> parameters, const compression::Layout& layout,
                                const compression::Payload& aggregate, float outer_learning_rate,
                                unsigned threads);

// What restores the parameters that a sparse change touched, bit for bit.
struct UndoLog {
  std::vector<std::uint64_t> indices;
  std::vector<float> values;
};

// As outer_step, and keeps the old values.
[[nodiscard]] UndoLog outer_step_with_undo(std::span<float> parameters,
                                           const compression::SparseUpdate& aggregate,
                                           float outer_learning_rate);
void undo(std::span<float> parameters, const UndoLog& log);

}  // namespace muster::state
