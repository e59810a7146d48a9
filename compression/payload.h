// Payload: a compressed update, canonical (one byte string per content), one part per segment.
//
// Per block the `keep` largest magnitudes (ties to the lower index), coded as indices, signs and
// scales. Every segment decodes on its own. See docs/payload.md for the bytes.
// Thread safety: pure functions. Determinism: equal input gives equal bytes on every path and machine.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "compression/layout.h"

namespace muster::compression {

enum class ValueFormat : std::uint8_t {
  kSign = 0,           // sign and one bf16 scale per block (the mean magnitude)
  kSignMagnitude = 1,  // sign, one magnitude bit and two bf16 levels per block (Lloyd)
};

struct PayloadFormat {
  std::uint32_t keep = 64;  // per full block, 1..kBlockElements
  ValueFormat values = ValueFormat::kSign;
  bool operator==(const PayloadFormat&) const = default;
};

struct Payload {
  PayloadFormat format;
  std::vector<Bytes> segments;  // layout.segment_count() of them
  bool operator==(const Payload&) const = default;
};

// Decoded: index-ascending, every value finite, normal or +0 excluded (a kept element is never zero).
struct SparseUpdate {
  std::vector<std::uint64_t> indices;        // into the flat array
  std::vector<float> values;                 // same length
  std::vector<std::uint64_t> segment_ends;   // entries before the end of each segment
};

// Compresses `dense` (layout.parameters() floats).
// Errors: kNonFinite (NaN or infinity, with its index), kInvalidArgument (format).
[[nodiscard]] Result<Payload> compress(const Layout& layout, const PayloadFormat& format,
                                       std::span<const float> dense);

// Strict inverse: refuses whatever compress could not have written.
// Errors: kMalformed, kTruncated, kNonFinite, naming the segment and block.
[[nodiscard]] Result<SparseUpdate> decode(const Layout& layout, const Payload& payload);

// sqrt(Σ v²) in fp64: serial within a segment, then segments in order (DESIGN §4's one order).
[[nodiscard]] double norm(const SparseUpdate& update);

}  // namespace muster::compression
