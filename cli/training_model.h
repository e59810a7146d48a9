// The model in a training's newest checkpoint. Thread safety: pure but for the files.
#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

#include "base/result.h"
#include "state/model_spec.h"

namespace muster::cli {

struct TrainingModel {
  std::uint64_t step = 0;
  state::ModelSpec model;
  std::vector<float> theta;
};

// Of the newest checkpoint of the training in `folder` that is whole. Errors: kNotFound (no
// checkpoints); those of the oldest one where all are damaged; kMalformed (one that does not say
// its model), naming the file.
[[nodiscard]] Result<TrainingModel> read_training_model(const std::filesystem::path& folder);

}  // namespace muster::cli
