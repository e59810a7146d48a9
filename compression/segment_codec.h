// Segment codec: the blocks of one segment to their canonical bytes, and back, in a payload's one
// or two parts.
//
// A segment of one part is that part's bytes; of two: u32 bytes of the fresh part ‖ fresh part ‖
// memory part. A reader gives the sum of the parts. A writer or reader belongs to one thread and is
// used for many segments, so that its buffers are allocated once. Determinism: equal input gives
// equal bytes and equal sums on every path and machine.
#pragma once

#include <optional>

#include "compression/part_codec.h"

namespace muster::compression {

// The gap models of a format's parts; they take a while to make and serve any number of writers and
// readers.
struct SegmentGaps {
  // REQUIRES: check_format(format).
  explicit SegmentGaps(const PayloadFormat& format) : fresh(format.fresh_part().keep) {
    if (format.has_memory()) memory.emplace(format.memory_part().keep);
  }
  GapModel fresh;
  std::optional<GapModel> memory;
};

class SegmentWriter {
 public:
  // REQUIRES: check_format(format), its gap models, which outlive the writer.
  SegmentWriter(const PayloadFormat& format, const SegmentGaps& gaps);

  // Every block goes to the fresh part, then to the memory part if the format has one.
  [[nodiscard]] PartWriter& fresh() { return fresh_; }
  [[nodiscard]] PartWriter* memory() {
    return memory_ ? &*memory_ : nullptr;
  }  // null: there is one part
  // The segment's bytes; starts anew.
  [[nodiscard]] Bytes finish();

 private:
  PartWriter fresh_;
  std::optional<PartWriter> memory_;
};

// The parts of a segment's bytes. Errors: kTruncated.
struct SegmentParts {
  ByteSpan fresh, memory;
};
[[nodiscard]] Result<SegmentParts> split_segment(const PayloadFormat& format, ByteSpan segment);

// What a block is decoded in.
struct BlockBuffers {
  PartBuffers fresh, memory;
  std::array<std::uint16_t, kBlockElements> indices{};  // of the sum
  std::array<float, kBlockElements> values{};
};

// Reads a segment block by block, so that many payloads can be added up while a block is in the
// cache.
class SegmentReader {
 public:
  // REQUIRES: check_format(format), its gap models, which outlive the reader.
  SegmentReader(const PayloadFormat& format, const SegmentGaps& gaps);

  // As PartReader: bounded time and memory, and together the strict inverse of a writer.
  // The bytes outlive the reading. Errors: kTruncated, kMalformed, kNonFinite.
  [[nodiscard]] Status open(const Layout& layout, std::uint32_t segment, ByteSpan bytes);
  // The next block: where both parts have an entry, the fp32 sum of the two; a sum that is zero or
  // denormal is no entry. REQUIRES: the segment has another block. The result lies in `buffers`.
  // Errors: the same; kNonFinite for a sum that overflows.
  [[nodiscard]] Result<BlockEntries> next(BlockBuffers& buffers);
  // What can only be checked behind the last block. REQUIRES: every block was read. Error:
  // kMalformed.
  [[nodiscard]] Status close();

 private:
  PayloadFormat format_;
  PartReader fresh_;
  std::optional<PartReader> memory_;
  std::uint32_t block_ = 0;  // the next one
};

}  // namespace muster::compression
