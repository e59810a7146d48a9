// What the rest of muster sees of training: a miner's inner loop, a validator's loss probe, and
// training alone.
//
// Thread safety: free functions; each object is used by one thread at a time and has a team of its
// own.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "base/collective.h"
#include "protocol/inner_loop.h"
#include "protocol/loss_probe.h"
#include "state/model_spec.h"
#include "trainer/device.h"
#include "trainer/llama/llama.h"
#include "trainer/optim/optimizer.h"
#include "trainer/optim/schedule.h"

namespace muster::trainer {

struct TrainerConfig {
  state::ModelSpec model;
  std::filesystem::path train_data;  // a token file or a packed folder
  std::filesystem::path held_out_data;
  std::uint32_t batch = 4;
  Schedule schedule;
  OptimizerConfig optimizer;
  double gradient_clip = 1.0;                // global norm; 0: none
  DeviceChoice device = DeviceChoice::kCpu;  // of inner loop and probe
  unsigned card = 0;                         // which, with Device::kCuda
  ComputeOptions compute;
  unsigned threads = 1;
  bool shards_parameters =
      false;  // among ranks: each keeps only its range of the working copy too (ZeRO-3)
  float outer_learning_rate = 1.0f;
  float error_feedback_decay = 1.0f;
  std::uint32_t held_out_sequences = 512;
};

// θ starts as `parameters`. Errors: kNotFound and the like for the data; kInvalidArgument; those of
// open_device.
[[nodiscard]] Result<std::unique_ptr<protocol::InnerLoop>> make_inner_loop(
    const TrainerConfig& config, std::span<const float> parameters);
[[nodiscard]] Result<std::unique_ptr<protocol::LossProbe>> make_loss_probe(
    const TrainerConfig& config, std::span<const float> parameters);

// Trains from `parameters` over `sequences`, batch after batch: the measure to compare a network
// with. Returns the trained parameters; `progress(step, loss)` after each step.
[[nodiscard]] Result<std::vector<float>> train_alone(
    const TrainerConfig& config, std::span<const float> parameters,
    std::span<const std::uint64_t> sequences,
    const std::function<void(std::uint32_t, double)>& progress);

}  // namespace muster::trainer
