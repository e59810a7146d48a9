// Checkpoint: θ and the downlink's error feedback at one round, as one file that is replaced as a whole.
//
// A segmented blob: header {version, round, layout hash}, then the segments of θ and of the residual.
// Thread safety: pure functions but for the file.
#pragma once

#include <filesystem>
#include <vector>

#include "base/result.h"
#include "base/types.h"
#include "compression/layout.h"

namespace muster::state {

struct Checkpoint {
  Round round;  // the next to open
  std::vector<float> theta;
  std::vector<float> downlink_residual;
};

[[nodiscard]] Status write_checkpoint(const std::filesystem::path& path,
                                      const compression::Layout& layout, Round round,
                                      std::span<const float> theta,
                                      std::span<const float> downlink_residual);
// Errors: kNotFound, kVersion, kMalformed, kInvalidArgument (another model), kBadHash (damaged).
[[nodiscard]] Result<Checkpoint> read_checkpoint(const std::filesystem::path& path,
                                                 const compression::Layout& layout);

}  // namespace muster::state
