// Segmented blob: the byte form in which payloads, aggregates and checkpoints travel and are
// stored.
//
// Clear prefix {magic, version, header length, segment count, segment lengths} ‖ header ‖ segments.
// The blob's id is the Merkle root over [prefix ‖ header, segment₀, segment₁, …], so every segment
// can be proven on its own. Thread safety: pure functions.
#pragma once

#include <vector>

#include "base/bytes.h"
#include "base/hash.h"
#include "base/result.h"

namespace muster::compression {

struct SegmentedBlob {
  Bytes header;
  std::vector<Bytes> segments;
  bool operator==(const SegmentedBlob&) const = default;
};

[[nodiscard]] Bytes write_blob(const SegmentedBlob& blob);

// Strict inverse. Errors: kTruncated, kMalformed, kVersion, kTooLarge (limits.h).
[[nodiscard]] Result<SegmentedBlob> read_blob(ByteSpan bytes);

// The id of a blob's bytes, or why they are none. The same errors.
[[nodiscard]] Result<Hash> blob_id(ByteSpan bytes, unsigned threads = 1);

}  // namespace muster::compression
