// Checkpoint: θ and the downlink's error feedback at one round, as a segmented blob.
//
// Header {version, layout hash, note}; then the segments of θ, then those of the residual. The note
// is the writer's own: a peer's checkpoint carries the chain head in it, a node's own file its
// position. As a file it ends with the blob's id, so that damage is noticed. Thread safety: pure
// but for the file.
#pragma once

#include <filesystem>
#include <vector>

#include "base/result.h"
#include "compression/layout.h"

namespace muster::state {

struct Checkpoint {
  Bytes note;
  std::vector<float> theta;
  std::vector<float> downlink_residual;
};

// REQUIRES: parameters of `layout`; a note of at most 512 KiB.
[[nodiscard]] Bytes encode_checkpoint(const compression::Layout& layout, ByteSpan note,
                                      std::span<const float> theta,
                                      std::span<const float> downlink_residual);
// `name` stands in errors. Errors: kVersion, kMalformed, kTruncated, kTooLarge, kInvalidArgument
// (another model), kNonFinite.
[[nodiscard]] Result<Checkpoint> decode_checkpoint(const compression::Layout& layout, ByteSpan blob,
                                                   const std::string& name);

// Replaces the file as a whole.
[[nodiscard]] Status write_checkpoint(const std::filesystem::path& path,
                                      const compression::Layout& layout, ByteSpan note,
                                      std::span<const float> theta,
                                      std::span<const float> downlink_residual);
// Errors: kNotFound, kBadHash (damaged), and those of decode_checkpoint.
[[nodiscard]] Result<Checkpoint> read_checkpoint(const std::filesystem::path& path,
                                                 const compression::Layout& layout);

}  // namespace muster::state
