// A loss probe over a run's data, for computing scores again. Thread safety: as the probe.
#pragma once

#include <filesystem>
#include <memory>

#include "cli/node_options.h"
#include "protocol/loss_probe.h"

namespace muster::cli {

// `data`: a folder with train.bin and held_out.bin, or a packed one. All of it is read first.
// Errors: those of the data; kBadHash (not the data that the run's parameters name).
[[nodiscard]] Result<std::unique_ptr<protocol::LossProbe>> make_audit_probe(
    const protocol::ProtocolParams& params, const std::filesystem::path& data,
    std::span<const float> theta, const ComputeChoice& compute);

}  // namespace muster::cli
