// RoundEngine: what computes a miner's rounds, or, among ranks, one rank's share of them: inner
// steps from θ on a working copy, and error feedback and payload of its own segments. On a CPU or a
// card.
//
// Ranks call alike, in the same order; what they hand out about a step is the same on all. After
// kIo or kClosed an engine is of no use any more. Thread safety: one thread at a time.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "compression/error_feedback.h"
#include "protocol/inner_loop.h"
#include "trainer/run/learner.h"

namespace muster::trainer {

// This rank's sequences of an inner step, whole ones of context + 1, at least one; and all ranks'
// number of them.
struct Batch {
  std::span<const std::int32_t> tokens;
  std::uint64_t sequences = 1, of_all = 1;
};

// Of one rank: its range of what the optimizer remembers, error feedback of its segments. Borrowed.
struct EngineState {
  struct Array {
    std::string name;
    std::span<const float> values;
  };
  std::uint64_t optimizer_steps = 0;
  std::vector<Array> optimizer;            // as Optimizer::state() names and orders them
  std::span<const float> residual, delta;  // delta: while a payload is pending
  compression::ErrorFeedback::State
      feedback;  // indices count from the first parameter of its segments
};

class RoundEngine {
 public:
  virtual ~RoundEngine() = default;

  // The working copy starts at θ, whole, which must stay as it is until end(). Errors: kIo,
  // kClosed.
  [[nodiscard]] virtual Status begin(std::span<const float> theta) = 0;
  // Working copy and optimizer move if the guard lets them. `clip`: largest norm of the gradient;
  // 0: none. Errors: kIo, kClosed.
  [[nodiscard]] virtual Result<LearnerStep> step(const Batch& batch, double learning_rate,
                                                 double clip, LossGuard& guard) = 0;
  // Δ = θ − working copy; whether all of it is finite, on all ranks. Errors: kIo, kClosed.
  [[nodiscard]] virtual Result<bool> end() = 0;

  // The payload's segments that are this rank's, in order. Once after end(); then settle(). Errors:
  // those of compression::compress, kIo.
  [[nodiscard]] virtual Result<std::vector<Bytes>> encode(
      const compression::PayloadFormat& format) = 0;
  // Error: kIo.
  [[nodiscard]] virtual Status settle(protocol::Settlement settlement) = 0;

  // Valid until the next call. Error: kIo.
  [[nodiscard]] virtual Result<EngineState> state() = 0;
  // REQUIRES: arrays of the sizes that state() gives. Errors: kIo, kTooLarge.
  [[nodiscard]] virtual Status restore(const EngineState& state) = 0;
};

}  // namespace muster::trainer
