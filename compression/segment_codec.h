// Segment codec: the blocks of one segment to their canonical bytes, and back. docs/payload.md has the
// grammar.
//
// A writer or reader belongs to one thread and is used for many segments, so that its buffers are
// allocated once. Determinism: equal input gives equal bytes on every path and machine.
#pragma once

#include <span>
#include <vector>

#include "compression/bit_plane.h"
#include "compression/gap_model.h"
#include "compression/layout.h"
#include "compression/payload_format.h"
#include "compression/rans.h"

namespace muster::compression {

// What a block keeps: indices within it, ascending, and the values that a reader will see there.
struct KeptEntries {
  std::span<const std::uint16_t> indices;
  std::span<const float> values;
};

class SegmentWriter {
 public:
  // REQUIRES: check_format(format). The model outlives the writer.
  SegmentWriter(const PayloadFormat& format, const GapModel& gaps);

  // The next block. The result is valid until the next call.
  // Errors: kNonFinite (the writer is then to be thrown away).
  [[nodiscard]] Result<KeptEntries> add_block(std::span<const float> values);
  // The segment's bytes; starts anew.
  [[nodiscard]] Bytes finish();

 private:
  void write_gaps(std::uint32_t elements);
  void write_levels();
  void write_half();
  void write_float();

  PayloadFormat format_;
  const GapModel& gaps_;
  std::vector<std::uint16_t> selected_;
  std::vector<float> values_, magnitudes_;
  std::vector<std::uint8_t> classes_;
  std::uint32_t count_ = 0;  // of the current block

  std::vector<std::uint16_t> counts_;
  bool full_ = true;  // every block so far
  ByteWriter scales_;
  BitPlaneWriter lows_, signs_, raw_;
  RansEncoder coder_;
  std::vector<std::uint8_t> all_classes_;
};

// A decoded segment: block after block.
struct SegmentEntries {
  std::vector<std::uint16_t> counts;   // per block
  std::vector<std::uint16_t> indices;  // within their block
  std::vector<float> values;           // finite, normal
  double square_norm = 0;              // Σ values²; see docs/payload.md for its order
};

class SegmentReader {
 public:
  SegmentReader(const PayloadFormat& format, const GapModel& gaps);

  // Strict inverse of a writer. Errors: kTruncated, kMalformed, kNonFinite, naming the block where one is
  // at fault. Time and memory are bounded by the segment's blocks, whatever the bytes are.
  [[nodiscard]] Status read(const Layout& layout, std::uint32_t segment, ByteSpan bytes,
                            SegmentEntries& entries);

 private:
  Status read_counts(const Layout& layout, const SegmentRange& segment, ByteReader& in,
                     SegmentEntries& entries);
  Status read_scales(ByteReader& in, const SegmentEntries& entries);
  Status read_indices(const Layout& layout, const SegmentRange& segment, BitPlaneReader& lows,
                      SegmentEntries& entries);
  Status read_classes(const SegmentEntries& entries);
  Status read_level_values(BitPlaneReader& signs, SegmentEntries& entries);
  Status read_raw_values(BitPlaneReader& signs, BitPlaneReader& raw, SegmentEntries& entries);

  PayloadFormat format_;
  const GapModel& gaps_;
  RansDecoder coder_;
  std::vector<std::uint16_t> scales_;  // per block: its levels, or its exponent
  std::vector<std::uint32_t> frequencies_;
  std::vector<std::uint8_t> classes_;
};

}  // namespace muster::compression
