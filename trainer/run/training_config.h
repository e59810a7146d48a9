// TrainingConfig: all numbers that a training's result depends on, and which of them bind a
// checkpoint.
//
// Thread safety: values and pure functions.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/hash.h"
#include "base/result.h"
#include "state/model_spec.h"
#include "trainer/optim/optimizer.h"
#include "trainer/optim/schedule.h"
#include "trainer/run/checkpoint_file.h"
#include "trainer/run/loss_guard.h"

namespace muster::trainer {

struct TrainingConfig {
  state::ModelSpec model = {};
  OptimizerConfig optimizer = {};
  Schedule schedule = {};        // total_steps: of the run
  std::uint32_t batch = 4;       // sequences in one pass through the model
  std::uint32_t accumulate = 1;  // passes per step
  double gradient_clip = 1.0;    // global norm; 0: none
  std::uint64_t seed = 1;        // of the initial model and of the order of the data
  GuardConfig guard = {};

  [[nodiscard]] std::uint64_t steps() const { return schedule.total_steps; }
  [[nodiscard]] std::uint64_t sequences_per_step() const {
    return std::uint64_t{batch} * accumulate;
  }
  [[nodiscard]] std::uint64_t tokens_per_step() const {
    return sequences_per_step() * model.context;
  }
};

// Errors: kInvalidArgument, naming field, range and mend.
[[nodiscard]] Status validate(const TrainingConfig& config);

// What must stay the same between a checkpoint and a training that goes on from it: model, data,
// order, optimizer.
[[nodiscard]] std::vector<Setting> binding_settings(const TrainingConfig& config,
                                                    const Hash& data_root);
// What may change on the way, which is said. `compute`: Llama::path().
[[nodiscard]] std::vector<Setting> noted_settings(const TrainingConfig& config,
                                                  const std::string& compute);

[[nodiscard]] const char* name_of(OptimizerKind kind);
[[nodiscard]] const char* name_of(ScheduleShape shape);

}  // namespace muster::trainer
