// Network: R miners of one method in one process, from a common start; what they send is what a run
// would send.
//
// Thread safety: one thread at a time; several networks may run beside each other.
#pragma once

#include <functional>
#include <memory>
#include <span>

#include "bench/convergence/method.h"
#include "compression/error_feedback.h"
#include "trainer/data/data_set.h"
#include "trainer/llama/llama.h"
#include "trainer/optim/optimizer.h"

namespace muster::bench {

struct Task {
  state::ModelSpec model;
  std::uint32_t miners = 4, batch = 2;  // sequences of a miner's step
  std::uint64_t warm_steps = 1000,
                steps = 1800;  // data-parallel steps before, inner steps of the method after
  std::uint64_t seed = 0;
  trainer::Compute compute = trainer::Compute::kAuto;
};

// Tokens of the steps; sequences are used once, in an order that the seed decides.
class Stream {
 public:
  Stream(const trainer::DataSet& data, const Task& task);
  // The batch of a miner's step; `count` batches of consecutive miners at once.
  [[nodiscard]] std::span<const std::int32_t> batch(std::uint64_t step, std::uint32_t miner,
                                                    std::uint32_t count = 1);

 private:
  const trainer::DataSet& data_;
  Task task_;
  std::vector<std::uint64_t> order_;
  std::vector<std::int32_t> tokens_;
};

// Mean loss over the held-out sequences, nats per token.
using Evaluate = std::function<double(std::span<const float>)>;

struct Point {
  std::uint64_t step = 0;  // after the warm start
  double loss = 0;
  double up_bytes = 0, down_bytes = 0;  // so far, of one miner
};

// Data-parallel AdamW from a fresh model: the common start. Its optimizer's memory goes on in every
// miner.
struct Start {
  std::vector<float> theta;
  trainer::OptimizerKind kind = trainer::OptimizerKind::kAdamW;
  std::uint64_t optimizer_steps = 0;
  std::vector<std::vector<float>> optimizer;  // in the order of its state()
};
[[nodiscard]] Start warm_start(const Task& task, const trainer::DataSet& data, double learning_rate,
                               trainer::OptimizerKind optimizer);

// Runs the method and measures it `points` times.
[[nodiscard]] std::vector<Point> train_together(const Method& method, const Task& task,
                                                const Start& start, const trainer::DataSet& data,
                                                const Evaluate& evaluate, std::uint32_t points);

}  // namespace muster::bench
