// RoundEngine: what computes a miner's rounds on a device, or, among ranks, one rank's share of
// them: inner steps from θ on a working copy, and error feedback and payload of its own segments.
//
// Working copy, gradient, moments, error feedback and Δ lie in the device's memory, and nothing
// dense leaves it but to be saved. Among ranks each device has its range of them (ShardPlan). Ranks
// make the same calls in the same order; what they return of a step is equal on all. After kIo or
// kClosed an engine is of no use any more. Thread safety: one thread at a time.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/collective.h"
#include "compression/error_feedback.h"
#include "model/device.h"
#include "protocol/inner_loop.h"
#include "trainer/ranks/shard_plan.h"
#include "trainer/run/learner.h"
#include "trainer/trainer.h"

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
  std::vector<Array> optimizer;            // as Optimizer::state() names and orders it
  std::span<const float> residual, delta;  // delta: while a payload is pending
  compression::ErrorFeedback::State
      feedback;  // indices count from the first parameter of its segments
};

// A place among ranks, twice: for arrays in the device's memory, and for numbers of the host's. On
// a CPU they are the same.
struct RankPlace {
  std::shared_ptr<Collective> of_devices;
  Collective* of_hosts = nullptr;  // outlives the engine. Null: there is one rank
};

class RoundEngine {
 public:
  // Errors: those of Device::make_model and make_error_feedback.
  [[nodiscard]] static Result<std::unique_ptr<RoundEngine>> make(
      const TrainerConfig& config, std::shared_ptr<model::Device> device, RankPlace place = {});

  // The working copy starts at θ, whole, which must stay as it is until end(). Errors: kIo,
  // kClosed.
  [[nodiscard]] Status begin(std::span<const float> theta);
  // Working copy and optimizer move if the guard lets them. `clip`: largest norm of the gradient;
  // 0: none. Errors: kIo, kClosed.
  [[nodiscard]] Result<LearnerStep> step(const Batch& batch, double learning_rate, double clip,
                                         LossGuard& guard);
  // Δ = θ − working copy; whether all of it is finite, on all ranks. Errors: kIo, kClosed.
  [[nodiscard]] Result<bool> end();

  // The payload's segments that are this rank's, in order. Once after end(); then settle(). Errors:
  // those of compression::compress, kIo.
  [[nodiscard]] Result<std::vector<Bytes>> encode(const compression::PayloadFormat& format);
  // Error: kIo.
  [[nodiscard]] Status settle(protocol::Settlement settlement);

  // Valid until the next call. Error: kIo.
  [[nodiscard]] Result<EngineState> state();
  // REQUIRES: arrays of the sizes that state() gives. Errors: kIo, kTooLarge.
  [[nodiscard]] Status restore(const EngineState& state);

 private:
  RoundEngine(const TrainerConfig& config, std::shared_ptr<model::Device> device, RankPlace place);
  [[nodiscard]] Status reserve();
  [[nodiscard]] bool is_alone() const { return place_.of_hosts == nullptr; }
  [[nodiscard]] Range optimized() const { return plan_.optimized[rank_]; }
  // What the optimizer remembers of this rank's range.
  [[nodiscard]] std::vector<model::NamedArray> arrays();

  TrainerConfig config_;
  std::shared_ptr<model::Device> device_;  // outlives what it made
  RankPlace place_;                        // outlives the model
  unsigned rank_, ranks_;
  ShardPlan plan_;
  std::unique_ptr<model::TrainableModel>
      model_;  // its parameters: the working copy, this rank's range of it
  std::unique_ptr<model::ErrorFeedback> feedback_;  // null: this rank codes nothing
  std::uint64_t optimizer_steps_ = 0;
  std::span<const float> theta_;                   // of this round
  std::vector<std::vector<float>> copies_;         // for the host: the optimizer's arrays
  std::vector<float> residual_copy_, delta_copy_;  // for the host
};

// On the configured device; `collective`: that of a miner's ranks, or null. Errors: those of
// open_device, Card::join and RoundEngine::make.
[[nodiscard]] Result<std::unique_ptr<RoundEngine>> make_round_engine(const TrainerConfig& config,
                                                                     Collective* collective);

}  // namespace muster::trainer
