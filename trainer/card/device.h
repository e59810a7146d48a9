// Where a training computes: this machine's CPU, or a graphics card behind cuda/gpu.h.
//
// Thread safety: pure but for the card.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

#include "cuda/gpu.h"
#include "trainer/llama/llama.h"
#include "trainer/optim/optimizer.h"

namespace muster::trainer {

// kAuto: a card where there is one that takes the model, else the CPU.
enum class Device : std::uint8_t { kCpu, kCuda, kAuto };

// What a card is asked to train.
struct CardTask {
  state::ModelSpec model;
  OptimizerConfig optimizer;
  Compute compute = Compute::kAuto;  // kAuto: bf16
  std::uint32_t batch =
      1;  // sequences that go through the model together, if the card has the room
};

// Null for the CPU. Errors with kCuda: those of Cards::open and check_card_task. `libraries`: where
// libmuster_cuda.so lies; empty: beside the program. `index`: which card.
[[nodiscard]] Result<std::shared_ptr<gpu::Card>> open_device(
    Device device, const CardTask& task, const std::filesystem::path& libraries = {},
    unsigned index = 0);
// Errors: kInvalidArgument, naming what a card does not take and the mend.
[[nodiscard]] Status check_card_task(const CardTask& task);

// A model of zeros. Errors: those of check_card_task and Card::make_model.
[[nodiscard]] Result<std::unique_ptr<gpu::Model>> make_card_model(gpu::Card& card,
                                                                  const CardTask& task,
                                                                  bool has_optimizer,
                                                                  gpu::ShardSettings shard = {});
// That go through the model together.
[[nodiscard]] std::uint32_t sequences_at_once(const CardTask& task);
// "cuda/NVIDIA-H100-80GB-HBM3/bf16": results are bit-equal within one.
[[nodiscard]] std::string card_path(const gpu::Card& card, const CardTask& task);

// Of a forward and backward pass at full context, per token: what Llama::flops_per_token() counts.
[[nodiscard]] double flops_per_token(const state::ModelSpec& model);

}  // namespace muster::trainer
