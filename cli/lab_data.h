// The attack suite's model: the trainer's, on the run's data or on what a saboteur makes of it.
//
// Thread safety: const after make; labs on several threads may share one.
#pragma once

#include <filesystem>

#include "cli/run_config.h"
#include "sim/attacks/lab.h"

namespace muster::cli {

// Makes the data below `folder`, with the saboteurs' copies that `attacks` need, and puts its root
// and its number of sequences into the parameters. Errors: those of the corpus; kInvalidArgument (a
// vocabulary of more than bytes).
[[nodiscard]] Status prepare_lab_data(const std::filesystem::path& folder, RunConfig& config,
                                      const std::vector<const sim::Attack*>& attacks);

// Inner loops and probes on that data, a thread each.
[[nodiscard]] sim::LabModel lab_model(const std::filesystem::path& folder, const RunConfig& config);

// θ after `steps` data-parallel inner steps of `batch` sequences from the model of the seed:
// something to begin with.
[[nodiscard]] Result<std::vector<float>> warm_start(const std::filesystem::path& folder,
                                                    const RunConfig& config, std::uint32_t steps,
                                                    std::uint32_t batch);

}  // namespace muster::cli
