// Part codec: what one part of a payload holds of one segment's blocks, to canonical bytes and
// back. docs/payload.md has the grammar; compression/segment_codec.h puts parts together.
//
// A writer or reader belongs to one thread and is used for many segments, so that its buffers are
// allocated once. Determinism: equal input gives equal bytes on every path and machine.
#pragma once

#include <array>
#include <span>
#include <vector>

#include "compression/bit_plane.h"
#include "compression/block_entries.h"
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

class PartWriter {
 public:
  // REQUIRES: check_format(format), a format of one part. The model outlives the writer.
  PartWriter(const PayloadFormat& format, const GapModel& gaps);

  // The next block. The result is valid until the next call.
  // Errors: kNonFinite (the writer is then to be thrown away).
  [[nodiscard]] Result<KeptEntries> add_block(std::span<const float> values);
  // The next block, selected and quantised elsewhere: entries as compression/selection.h packs
  // them. REQUIRES: a format with levels; what add_block() would have chosen of a block of so many
  // elements.
  void add_selected(std::uint32_t elements, std::span<const std::uint16_t> entries,
                    std::span<const std::uint16_t> levels);
  // The bytes of the segment's part; starts anew.
  [[nodiscard]] Bytes finish();

 private:
  void begin_block(std::uint32_t elements);
  void write_gaps(std::uint32_t elements);
  void quantise_levels();
  void write_levels(std::span<const std::uint16_t> levels);
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
  std::array<std::uint64_t, 8> occurrences_{};  // of each class
};

// The error of a block whose element `index` is NaN or infinite.
[[nodiscard]] Error not_finite(std::uint64_t index);

// What a block's part is decoded in. Readers that take turns share one, so that it stays in the
// cache.
struct PartBuffers {
  std::array<std::uint8_t, 2 * kBlockElements> symbols{};
  std::array<std::uint32_t, kBlockElements> numbers{};      // from a bit plane
  std::array<std::uint16_t, kBlockElements + 1> indices{};  // one more, for an end marker
  std::array<float, kBlockElements + 1> values{};
};

// Reads a part of a segment block by block.
class PartReader {
 public:
  // REQUIRES: check_format(format), a format of one part. The model outlives the reader.
  PartReader(const PayloadFormat& format, const GapModel& gaps);

  // Time and memory of reading a segment are bounded by its blocks, whatever the bytes are. All
  // three together are the strict inverse of a writer. Errors name the byte of the part where the
  // fault was seen, and the block, where it lies in one. The bytes outlive the reading. Errors:
  // kTruncated, kMalformed, kNonFinite.
  [[nodiscard]] Status open(const Layout& layout, std::uint32_t segment, ByteSpan bytes);
  // REQUIRES: the segment has another block. The result lies in `buffers`. The same errors.
  [[nodiscard]] Result<BlockEntries> next(PartBuffers& buffers);
  // What can only be checked behind the last block. REQUIRES: every block was read. Error:
  // kMalformed.
  [[nodiscard]] Status close();

 private:
  [[nodiscard]] Error fault(Errc code, const char* what, std::uint64_t byte) const;
  [[nodiscard]] std::uint64_t byte_of(const ByteReader& in) const {
    return bytes_.size() - in.remaining();
  }
  [[nodiscard]] std::uint64_t byte_of(const BitPlaneReader& plane) const {
    return static_cast<std::uint64_t>(plane.bytes().data() - bytes_.data()) + plane.bit() / 8;
  }
  // Of the next word of coded symbols.
  [[nodiscard]] std::uint64_t coder_byte() const { return symbols_start_ + coder_.used_bytes(); }

  Status read_counts(ByteReader& in);
  Status read_scales(ByteReader& in);
  Status check_levels(std::span<const std::uint16_t> levels, std::uint64_t byte) const;
  bool read_indices(std::uint32_t elements, std::uint32_t count, PartBuffers& to);
  bool read_classes(std::span<const std::uint16_t> levels, std::uint32_t count, PartBuffers& to);
  void read_level_values(std::span<const std::uint16_t> levels, std::uint32_t count,
                         PartBuffers& to);
  Status read_raw_values(std::uint32_t count, PartBuffers& to);

  PayloadFormat format_;
  const GapModel& gaps_;

  // Of the segment.
  const Layout* layout_ = nullptr;
  SegmentRange range_{};
  ByteSpan bytes_;
  std::uint64_t symbols_start_ = 0;    // where coded symbols begin
  std::vector<std::uint16_t> counts_;  // entries of each block
  std::vector<std::uint16_t> scales_;  // of each block with entries: its levels, or its exponent
  std::vector<std::uint32_t> frequencies_;
  RansTable classes_table_;
  std::array<std::uint64_t, 8> occurrences_{};  // of each class
  BitPlaneReader lows_, signs_, raw_;
  RansDecoder coder_;
  bool has_symbols_ = false;
  std::uint32_t block_ = 0;  // the next one
  std::size_t scale_ = 0;

  // Of the current block.
  std::array<std::uint32_t, 8> class_counts_{};
  double square_norm_ = 0;
};

}  // namespace muster::compression
