#include "compression/selection.h"

#include "base/parallel.h"
#include "compression/segment_codec.h"

namespace muster::compression {

Result<Payload> payload_of(const Layout& layout, const Selection& selection, unsigned threads) {
  const PayloadFormat& format = selection.format;
  MUSTER_TRY_STATUS(check_format(format));
  const std::size_t levels = std::size_t{1} << level_bits(format.values);
  MUSTER_CHECK(has_levels(format.values) && selection.counts.size() == layout.block_count() &&
                   selection.levels.size() == layout.block_count() * levels &&
                   selection.entries.size() == layout.block_count() * format.keep,
               "a selection of another layout");
  Payload payload{format, std::vector<Bytes>(layout.segment_count())};
  const GapModel gaps(format.keep);
  MUSTER_TRY_STATUS(parallel_for(layout.segment_count(), threads, [&] {
    return [&, writer = SegmentWriter(format, gaps)](std::size_t s) mutable -> Status {
      const SegmentRange& segment = layout.segment(static_cast<std::uint32_t>(s));
      for (std::uint32_t b = 0; b < segment.blocks; ++b) {
        const std::uint64_t block = segment.first_block + b;
        const std::uint16_t* entries = selection.entries.data() + block * format.keep;
        const std::uint16_t count = selection.counts[block];
        if (count == kNotFiniteBlock)
          return in_segment(not_finite(*entries).within("block " + std::to_string(b)), s);
        writer.add_selected(layout.block(block).elements, std::span(entries, count),
                            selection.levels.subspan(block * levels, levels));
      }
      payload.segments[s] = writer.finish();
      return {};
    };
  }));
  return payload;
}

}  // namespace muster::compression
