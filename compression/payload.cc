#include "compression/payload.h"

#include <cmath>
#include <memory>

#include "base/parallel.h"
#include "compression/segment_codec.h"

namespace muster::compression {
namespace {

// Of a format of one part.
std::uint64_t part_bytes_max(const Layout& layout, const PayloadFormat& format) {
  // A coded symbol has a frequency of at least 1 of 2^12; a bit more for what rounding in the coder
  // costs.
  constexpr std::uint64_t kSymbolBits = kRansBits + 1;
  // Flags, the levels' frequencies, the padding of three planes, the coder's states and its last
  // words.
  constexpr std::uint64_t kFixedBytes = 1 + 2 * 8 + 3 + 4 * kRansStates + 2 * kRansStates;
  const std::uint64_t low_bits = GapModel(format.keep).low_bits();
  const bool coded_levels = level_bits(format.values) > 0;
  const std::uint64_t raw_bits = format.values == ValueFormat::kFloat16   ? 14
                                 : format.values == ValueFormat::kFloat32 ? 31
                                                                          : 0;
  const std::uint64_t scale_bytes = format.values == ValueFormat::kFloat32 ? 0
                                    : has_levels(format.values) ? 2ull << level_bits(format.values)
                                                                : 2;
  const auto bits_of_block = [&](std::uint32_t elements) {
    const std::uint64_t kept = kept_in_block(format.keep, elements);
    const std::uint64_t escapes = (elements >> low_bits) / kGapEscape;
    const std::uint64_t symbols = kept + escapes + (coded_levels ? kept : 0);
    return kept * (low_bits + 1 + raw_bits) + symbols * kSymbolBits;
  };
  const std::uint64_t bits_of_full_block = bits_of_block(kBlockElements);
  std::uint64_t bytes = 0;
  for (std::uint32_t s = 0; s < layout.segment_count(); ++s) {
    const SegmentRange& segment = layout.segment(s);
    std::uint64_t bits = 0;
    if (segment.elements == std::uint64_t{segment.blocks} * kBlockElements) {
      bits = segment.blocks * bits_of_full_block;
    } else {
      for (std::uint32_t b = 0; b < segment.blocks; ++b)
        bits += bits_of_block(layout.block(segment.first_block + b).elements);
    }
    bytes += kFixedBytes + segment.blocks * (2 + scale_bytes) + (bits + 7) / 8;
  }
  return bytes;
}

}  // namespace

std::uint64_t payload_bytes_max(const Layout& layout, const PayloadFormat& format) {
  const std::uint64_t fresh = part_bytes_max(layout, format.fresh_part());
  if (!format.has_memory()) return fresh;
  return sizeof(std::uint32_t) * layout.segment_count() + fresh +
         part_bytes_max(layout, format.memory_part());
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
  const SegmentGaps gaps(format);
  MUSTER_TRY_STATUS(parallel_for(layout.segment_count(), threads, [&] {
    return [&, writer = SegmentWriter(format, gaps),
            left = std::vector<float>()](std::size_t s) mutable -> Status {
      const SegmentRange& segment = layout.segment(static_cast<std::uint32_t>(s));
      for (std::uint32_t b = 0; b < segment.blocks; ++b) {
        const Block& block = layout.block(segment.first_block + b);
        const auto values = dense.subspan(block.offset, block.elements);
        auto kept = writer.fresh().add_block(values);
        if (kept && writer.memory() != nullptr) {
          left.assign(values.begin(), values.end());
          for (std::size_t i = 0; i < kept->indices.size(); ++i)
            left[kept->indices[i]] -= kept->values[i];
          kept = writer.memory()->add_block(left);
        }
        if (!kept)
          return in_segment(std::move(kept).error().within("block " + std::to_string(b)), s);
      }
      payload.segments[s] = writer.finish();
      return {};
    };
  }));
  return payload;
}

Status for_each_block(const Layout& layout, const Payload& payload, unsigned threads,
                      const TakeBlock& take) {
  MUSTER_TRY_STATUS(check_shape(layout, payload));
  const SegmentGaps gaps(payload.format);
  return parallel_for(payload.segments.size(), threads, [&] {
    return [&, reader = SegmentReader(payload.format, gaps),
            buffers = std::make_unique<BlockBuffers>()](std::size_t s) mutable -> Status {
      const auto segment = static_cast<std::uint32_t>(s);
      auto read = [&]() -> Status {
        MUSTER_TRY_STATUS(reader.open(layout, segment, payload.segments[s]));
        const SegmentRange& range = layout.segment(segment);
        for (std::uint32_t b = 0; b < range.blocks; ++b) {
          MUSTER_TRY(const BlockEntries entries, reader.next(*buffers));
          take(s, layout.block(range.first_block + b), entries);
        }
        return reader.close();
      };
      if (Status status = read(); !status) return in_segment(std::move(status).error(), s);
      return {};
    };
  });
}

Result<SparseUpdate> decode(const Layout& layout, const Payload& payload, unsigned threads) {
  std::vector<SparseUpdate> parts(payload.segments.size());
  MUSTER_TRY_STATUS(for_each_block(
      layout, payload, threads,
      [&](std::size_t s, const Block& block, const BlockEntries& entries) {
        for (std::uint16_t index : entries.indices)
          parts[s].indices.push_back(block.offset + index);
        parts[s].values.insert(parts[s].values.end(), entries.values.begin(), entries.values.end());
      }));
  SparseUpdate update;
  for (SparseUpdate& part : parts) {
    update.indices.insert(update.indices.end(), part.indices.begin(), part.indices.end());
    update.values.insert(update.values.end(), part.values.begin(), part.values.end());
    update.segment_ends.push_back(update.indices.size());
    part = {};
  }
  return update;
}

Result<std::vector<Payload>> split_parts(const Payload& payload) {
  const PayloadFormat& format = payload.format;
  std::vector<Payload> parts{{format.fresh_part(), {}}};
  if (format.has_memory()) parts.push_back({format.memory_part(), {}});
  for (std::size_t s = 0; s < payload.segments.size(); ++s) {
    auto bytes = split_segment(format, payload.segments[s]);
    if (!bytes) return in_segment(std::move(bytes).error(), s);
    parts.front().segments.emplace_back(bytes->fresh.begin(), bytes->fresh.end());
    if (format.has_memory())
      parts.back().segments.emplace_back(bytes->memory.begin(), bytes->memory.end());
  }
  return parts;
}

Result<DecodedPayload> decode_parts(const Layout& layout, const Payload& payload,
                                    unsigned threads) {
  DecodedPayload decoded;
  MUSTER_TRY(decoded.whole, decode(layout, payload, threads));
  MUSTER_TRY(const auto parts, split_parts(payload));
  MUSTER_TRY(decoded.fresh, decode(layout, parts.front(), threads));
  return decoded;
}

Result<PayloadSummary> summarise(const Layout& layout, const Payload& payload, unsigned threads) {
  std::vector<PayloadSummary> parts(payload.segments.size());
  MUSTER_TRY_STATUS(for_each_block(layout, payload, threads,
                                   [&](std::size_t s, const Block&, const BlockEntries& entries) {
                                     parts[s].entries += entries.indices.size();
                                     parts[s].norm += entries.square_norm;
                                   }));
  PayloadSummary summary;
  double square = 0;
  for (const PayloadSummary& part : parts) {
    square += part.norm;
    summary.entries += part.entries;
  }
  summary.norm = std::sqrt(square);
  return summary;
}

double norm(const SparseUpdate& update) {
  double square = 0;
  for (float value : update.values)
    square += static_cast<double>(value) * static_cast<double>(value);
  return std::sqrt(square);
}

}  // namespace muster::compression
