// TrainConfig: a training on one machine as its author writes it, in TOML; examples/train.toml
// explains every field.
//
// [model] and what [train] shares with a network's run mean the same there and here. Thread safety:
// values.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "trainer/llama/llama.h"
#include "trainer/run/training_config.h"

namespace muster::cli {

struct TrainConfig {
  trainer::TrainingConfig training;
  trainer::Compute compute = trainer::Compute::kAuto;
  std::uint32_t threads = 0;  // 0: as many as the machine has cores
  bool recompute = false;     // activations are computed again instead of kept
  trainer::MatmulChoice matmul = trainer::MatmulChoice::kAuto;
  // From paths relative to the configuration file; either `corpus` or `train` is given. A packed
  // folder counts as both `train` and `held_out`.
  std::filesystem::path corpus;           // a folder of C++ headers, taken as bytes
  std::filesystem::path train, held_out;  // token files or packed folders
  std::uint64_t evaluate_every = 0;       // steps; 0: only at the end
  std::uint64_t checkpoint_every = 100;   // steps; 0: only at the end
  std::uint32_t keep = 3;                 // checkpoints
  std::uint64_t held_out_sequences = 512;
};

// `overrides`: "section.key=value" each. What cannot work is refused here, before any work. Errors:
// kNotFound; kInvalidArgument and kMalformed, naming file and line, or the override, and what is
// wrong.
[[nodiscard]] Result<TrainConfig> read_train_config(const std::filesystem::path& path,
                                                    const std::vector<std::string>& overrides);

}  // namespace muster::cli
