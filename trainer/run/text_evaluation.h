// The loss of a text of any length. Thread safety: one thread at a time, the engine's.
#pragma once

#include <atomic>
#include <span>

#include "trainer/run/evaluation.h"

namespace muster::trainer {

// Every token but the first is predicted once, in windows of the model's context side by side: the
// first tokens of a window have little before them, so the loss is above that of a sliding window.
// The last window is moved back to be whole, and only what is new in it counts; a text shorter than
// the context makes one shorter window. Errors: kInvalidArgument (under two tokens), kCancelled
// (stop was set).
[[nodiscard]] Result<Evaluation> evaluate_text(Llama& engine, std::span<const float> theta,
                                               std::uint32_t context,
                                               std::span<const std::int32_t> tokens,
                                               const std::atomic<bool>& stop);

}  // namespace muster::trainer
