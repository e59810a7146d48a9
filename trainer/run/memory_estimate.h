// How much memory a training takes, before it is taken. Thread safety: pure functions.
#pragma once

#include <cstdint>

#include "trainer/run/training_config.h"

namespace muster::trainer {

struct MemoryEstimate {
  std::uint64_t parameters = 0;  // θ and its gradient, bytes
  std::uint64_t optimizer = 0;
  std::uint64_t checkpoint = 0;   // the copy that is written while training goes on
  std::uint64_t activations = 0;  // of one pass: in proportion to batch · context
  [[nodiscard]] std::uint64_t total() const {
    return parameters + optimizer + checkpoint + activations;
  }
};

// `recompute`: only the layers' inputs are kept. Activations count as the engine stores them, 2
// bytes with `stored_bf16`, else 4; logits and packed weights are included.
[[nodiscard]] MemoryEstimate estimate_memory(const TrainingConfig& config, bool recompute,
                                             bool stored_bf16);

// Errors: kNoSpace (over `available` bytes; says what takes how much, and the mend).
[[nodiscard]] Status check_memory(const MemoryEstimate& estimate, std::uint64_t available);

}  // namespace muster::trainer
