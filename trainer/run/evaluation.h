// Mean loss over a part of a data set. Thread safety: one thread at a time, the engine's.
#pragma once

#include <atomic>
#include <functional>
#include <span>

#include "trainer/data/data_set.h"
#include "trainer/llama/llama.h"

namespace muster::trainer {

struct Evaluation {
  double loss = 0;  // nats per token
  std::uint64_t sequences = 0;
  std::uint64_t tokens = 0;  // predicted
};

// The mean loss of each of the sequences, nats per token.
using LossesOf =
    std::function<Status(std::span<const std::int32_t> tokens, std::span<float> losses)>;

// Over the first min(sequences_max, all) sequences, in order; equal bits on one instruction set.
// Errors: those of the data and of `losses_of`; kCancelled (stop was set).
[[nodiscard]] Result<Evaluation> evaluate(const LossesOf& losses_of, const DataSet& data,
                                          std::uint64_t sequences_max,
                                          const std::atomic<bool>& stop);
[[nodiscard]] Result<Evaluation> evaluate(Llama& engine, std::span<const float> theta,
                                          const DataSet& data, std::uint64_t sequences_max,
                                          const std::atomic<bool>& stop);

}  // namespace muster::trainer
