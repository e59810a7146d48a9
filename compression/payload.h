// Payload: a compressed update, canonical (one byte string per content), one part per segment.
//
// Per block the largest magnitudes (ties to the lower index), coded as indices, signs and
// magnitudes, in one part or as the sum of two (PayloadFormat). Every segment decodes on its own,
// so all of this runs on several threads; the bytes do not depend on how many. See docs/payload.md
// for the bytes. Thread safety: pure functions. Determinism: equal input gives equal bytes on every
// path and machine.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "compression/block_entries.h"
#include "compression/layout.h"
#include "compression/payload_format.h"

namespace muster::compression {

struct Payload {
  PayloadFormat format;
  std::vector<Bytes> segments;  // layout.segment_count() of them
  bool operator==(const Payload&) const = default;
};

// Decoded: index-ascending, every value finite and normal, so never zero; the sum of a payload's
// parts.
struct SparseUpdate {
  std::vector<std::uint64_t> indices;       // into the flat array
  std::vector<float> values;                // same length
  std::vector<std::uint64_t> segment_ends;  // entries before the end of each segment
};

// Compresses `dense` (layout.parameters() floats). With two parts the memory part holds the largest
// of what the fresh part leaves behind, as ErrorFeedback has it for a miner that owes nothing.
// Errors: kNonFinite (NaN or infinity, with its index), kInvalidArgument (format).
[[nodiscard]] Result<Payload> compress(const Layout& layout, const PayloadFormat& format,
                                       std::span<const float> dense, unsigned threads = 1);

// Strict inverse: refuses whatever compress could not have written.
// Errors: kMalformed, kTruncated, kNonFinite, naming the segment and block.
[[nodiscard]] Result<SparseUpdate> decode(const Layout& layout, const Payload& payload,
                                          unsigned threads = 1);

// The parts, fresh then memory, as payloads of one part. Errors: kTruncated, naming the segment;
// what decode() refuses besides is refused when a part is decoded.
[[nodiscard]] Result<std::vector<Payload>> split_parts(const Payload& payload);

// A payload's sum of parts, and its fresh part alone; equal for a payload of one part.
struct DecodedPayload {
  SparseUpdate whole, fresh;
};
// Errors: those of decode().
[[nodiscard]] Result<DecodedPayload> decode_parts(const Layout& layout, const Payload& payload,
                                                  unsigned threads = 1);

struct PayloadSummary {
  std::uint64_t entries = 0;
  // Euclidean length in fp64: per block Σ count · level² by ascending level (floats, and two parts:
  // Σ value² by ascending index), blocks in order to a segment's sum, segments in order to the
  // whole.
  double norm = 0;
};

// Decodes as strictly, without keeping the entries: memory of one segment per thread. The same
// errors.
[[nodiscard]] Result<PayloadSummary> summarise(const Layout& layout, const Payload& payload,
                                               unsigned threads = 1);

// Decodes as strictly and hands out block after block: those of a segment in order by one thread,
// several segments at once by several. Blocks before a malformed place have been handed out. The
// same errors.
using TakeBlock = std::function<void(std::size_t segment, const Block&, const BlockEntries&)>;
[[nodiscard]] Status for_each_block(const Layout& layout, const Payload& payload, unsigned threads,
                                    const TakeBlock& take);

// No payload of the format has more bytes in its segments together, whatever is in it: a bound to
// check what a peer announces before anything is taken. REQUIRES: check_format(format).
[[nodiscard]] std::uint64_t payload_bytes_max(const Layout& layout, const PayloadFormat& format);

// sqrt(Σ v²) in fp64, in order.
[[nodiscard]] double norm(const SparseUpdate& update);

// Puts segment and payload in front of a segment reader's or writer's error.
[[nodiscard]] Error in_segment(Error error, std::size_t segment);
// Errors: kMalformed (another number of segments than the layout has), kInvalidArgument (format).
[[nodiscard]] Status check_shape(const Layout& layout, const Payload& payload);

}  // namespace muster::compression
