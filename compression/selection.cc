#include "compression/selection.h"

#include <optional>

#include "base/parallel.h"
#include "compression/error_feedback.h"
#include "compression/segment_codec.h"

namespace muster::compression {

namespace {

class PartSelection {
 public:
  // REQUIRES: a format of one part, whose `selected` this is.
  PartSelection(const Layout& layout, const PayloadFormat& format, const SelectedPart& selected)
      : keep_(format.keep),
        levels_(std::size_t{1} << level_bits(format.values)),
        selected_(selected) {
    MUSTER_CHECK(selected.counts.size() == layout.block_count() &&
                     selected.levels.size() == layout.block_count() * levels_ &&
                     selected.entries.size() == layout.block_count() * keep_,
                 "a selection of another layout");
  }
  // Error: kNonFinite.
  [[nodiscard]] Status write(std::uint64_t block, std::uint32_t elements,
                             PartWriter& writer) const {
    const std::uint16_t* entries = selected_.entries.data() + block * keep_;
    const std::uint16_t count = selected_.counts[block];
    if (count == kNotFiniteBlock) return not_finite(*entries);
    writer.add_selected(elements, std::span(entries, count),
                        selected_.levels.subspan(block * levels_, levels_));
    return {};
  }

 private:
  std::size_t keep_, levels_;
  SelectedPart selected_;
};

}  // namespace

Result<Payload> payload_of(const Layout& layout, const Selection& selection, unsigned threads) {
  const PayloadFormat& format = selection.format;
  MUSTER_TRY_STATUS(check_format(format));
  MUSTER_CHECK(has_levels(format.values), "a selection without levels");
  const PartSelection fresh(layout, format.fresh_part(), selection.fresh);
  std::optional<PartSelection> memory;
  if (format.has_memory()) memory.emplace(layout, format.memory_part(), selection.memory);
  Payload payload{format, std::vector<Bytes>(layout.segment_count())};
  const SegmentGaps gaps(format);
  MUSTER_TRY_STATUS(parallel_for(layout.segment_count(), threads, [&] {
    return [&, writer = SegmentWriter(format, gaps)](std::size_t s) mutable -> Status {
      const SegmentRange& segment = layout.segment(static_cast<std::uint32_t>(s));
      for (std::uint32_t b = 0; b < segment.blocks; ++b) {
        const std::uint64_t block = segment.first_block + b;
        const std::uint32_t elements = layout.block(block).elements;
        Status written = fresh.write(block, elements, writer.fresh());
        if (written && memory) written = memory->write(block, elements, *writer.memory());
        if (!written)
          return in_segment(std::move(written).error().within("block " + std::to_string(b)), s);
      }
      payload.segments[s] = writer.finish();
      return {};
    };
  }));
  return payload;
}

void append_originals(const Layout& layout, const Selection& selection,
                      std::span<const float> of_fresh, std::span<const float> of_memory,
                      std::vector<std::uint64_t>& indices, std::vector<float>& originals) {
  struct BlockIndices {
    std::vector<std::uint16_t> indices;
    PartOriginals of(const SelectedPart& part, std::uint64_t block, std::uint32_t keep,
                     std::span<const float> values) {
      indices.clear();
      const std::size_t count = part.counts.empty() ? 0 : part.counts[block];
      if (count == 0) return {};
      for (const std::uint16_t entry : part.entries.subspan(block * keep, count))
        indices.push_back(index_of(entry));
      return {indices, values.subspan(block * keep, count)};
    }
  } fresh, memory;
  const PayloadFormat& format = selection.format;
  for (std::uint64_t b = 0; b < layout.block_count(); ++b)
    append_originals(
        layout.block(b).offset, fresh.of(selection.fresh, b, format.fresh_part().keep, of_fresh),
        memory.of(selection.memory, b, format.memory_keep, of_memory), indices, originals);
}

}  // namespace muster::compression
