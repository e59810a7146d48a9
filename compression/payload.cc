#include "compression/payload.h"

#include <cmath>
#include <functional>

#include "base/parallel.h"
#include "compression/segment_codec.h"

namespace muster::compression {
namespace {

// Calls take(segment, entries) for every decoded segment, in any order.
template <class Take>
Status read_segments(const Layout& layout, const Payload& payload, unsigned threads, Take take) {
  MUSTER_TRY_STATUS(check_shape(layout, payload));
  const GapModel gaps(payload.format.keep);
  return parallel_for(payload.segments.size(), threads, [&] {
    return [&, reader = SegmentReader(payload.format, gaps),
            entries = SegmentEntries{}](std::size_t s) mutable -> Status {
      const auto segment = static_cast<std::uint32_t>(s);
      if (Status status = reader.read(layout, segment, payload.segments[s], entries); !status)
        return in_segment(std::move(status).error(), s);
      take(segment, entries);
      return {};
    };
  });
}

}  // namespace

Status check_format(const PayloadFormat& format) {
  if (format.keep < 1 || format.keep > kBlockElements)
    return Error{Errc::kInvalidArgument, "keep is " + std::to_string(format.keep) +
                                             ", must be from 1 to " +
                                             std::to_string(kBlockElements)};
  if (static_cast<std::uint8_t>(format.values) >= kValueFormats)
    return Error{Errc::kInvalidArgument, "unknown value format"};
  return {};
}

Error in_segment(Error error, std::size_t segment) {
  return std::move(error).within("payload segment " + std::to_string(segment));
}

Status check_shape(const Layout& layout, const Payload& payload) {
  MUSTER_TRY_STATUS(check_format(payload.format));
  if (payload.segments.size() == layout.segment_count()) return {};
  return Error{Errc::kMalformed, "payload: " + std::to_string(payload.segments.size()) +
                                     " segments, the layout has " +
                                     std::to_string(layout.segment_count())};
}

Result<Payload> compress(const Layout& layout, const PayloadFormat& format,
                         std::span<const float> dense, unsigned threads) {
  MUSTER_TRY_STATUS(check_format(format));
  MUSTER_CHECK(dense.size() == layout.parameters(), "an update of another layout");
  Payload payload{format, std::vector<Bytes>(layout.segment_count())};
  const GapModel gaps(format.keep);
  MUSTER_TRY_STATUS(parallel_for(layout.segment_count(), threads, [&] {
    return [&, writer = SegmentWriter(format, gaps)](std::size_t s) mutable -> Status {
      const SegmentRange& segment = layout.segment(static_cast<std::uint32_t>(s));
      for (std::uint32_t b = 0; b < segment.blocks; ++b) {
        const Block& block = layout.block(segment.first_block + b);
        if (auto kept = writer.add_block(dense.subspan(block.offset, block.elements)); !kept)
          return in_segment(std::move(kept).error().within("block " + std::to_string(b)), s);
      }
      payload.segments[s] = writer.finish();
      return {};
    };
  }));
  return payload;
}

Result<SparseUpdate> decode(const Layout& layout, const Payload& payload, unsigned threads) {
  std::vector<SegmentEntries> segments(payload.segments.size());
  MUSTER_TRY_STATUS(read_segments(layout, payload, threads, [&](auto segment, auto& entries) {
    segments[segment] = std::move(entries);
    entries = {};
  }));
  SparseUpdate update;
  std::uint64_t total = 0;
  for (const SegmentEntries& entries : segments) {
    total += entries.values.size();
    update.segment_ends.push_back(total);
  }
  update.indices.reserve(total);
  update.values.reserve(total);
  for (std::uint32_t s = 0; s < layout.segment_count(); ++s) {
    SegmentEntries& entries = segments[s];
    const std::uint16_t* index = entries.indices.data();
    for (std::uint32_t b = 0; b < entries.counts.size(); ++b) {
      const std::uint64_t offset = layout.block(layout.segment(s).first_block + b).offset;
      for (std::uint32_t i = 0; i < entries.counts[b]; ++i)
        update.indices.push_back(offset + *index++);
    }
    update.values.insert(update.values.end(), entries.values.begin(), entries.values.end());
    entries = {};
  }
  return update;
}

Result<PayloadSummary> summarise(const Layout& layout, const Payload& payload, unsigned threads) {
  std::vector<double> squares(payload.segments.size());
  std::vector<std::uint64_t> counts(payload.segments.size());
  MUSTER_TRY_STATUS(read_segments(layout, payload, threads, [&](auto segment, const auto& entries) {
    squares[segment] = entries.square_norm;
    counts[segment] = entries.values.size();
  }));
  PayloadSummary summary;
  double square = 0;
  for (std::size_t s = 0; s < squares.size(); ++s) {
    square += squares[s];
    summary.entries += counts[s];
  }
  summary.norm = std::sqrt(square);
  return summary;
}

double norm(const SparseUpdate& update) {
  double square = 0;
  for (float value : update.values) square += static_cast<double>(value) * static_cast<double>(value);
  return std::sqrt(square);
}

}  // namespace muster::compression
