#include "compression/segment_codec.h"

#include <algorithm>
#include <bit>

namespace muster::compression {
namespace {

// Behind a part's indices: larger than any index.
constexpr std::uint16_t kEnd = 0xffff;

// 1 for a normal number, 0 for zeros, denormals and what is not finite.
std::uint32_t is_normal(float value) {
  return ((std::bit_cast<std::uint32_t>(value) >> 23 & 0xff) - 1) < 0xfe ? 1 : 0;
}
bool is_finite(float value) { return (std::bit_cast<std::uint32_t>(value) >> 23 & 0xff) < 0xff; }

// The sum of two parts' entries, without a branch that depends on them. False: a sum that is not
// finite.
bool add_parts(std::size_t fresh_count, std::size_t memory_count, BlockBuffers& buffers,
               BlockEntries& sum) {
  PartBuffers &fresh = buffers.fresh, &memory = buffers.memory;
  fresh.indices[fresh_count] = memory.indices[memory_count] = kEnd;
  std::size_t count = 0, f = 0, m = 0;
  bool finite = true;
  double square = 0;
  while (f + m < fresh_count + memory_count) {
    const std::uint16_t of_fresh = fresh.indices[f], of_memory = memory.indices[m];
    const bool in_fresh = of_fresh <= of_memory, in_memory = of_memory <= of_fresh;
    const float value = (in_fresh ? fresh.values[f] : 0.0f) + (in_memory ? memory.values[m] : 0.0f);
    const std::uint32_t normal = is_normal(value);
    buffers.indices[count] = std::min(of_fresh, of_memory);
    buffers.values[count] = value;
    square += normal != 0 ? static_cast<double>(value) * static_cast<double>(value) : 0.0;
    finite = finite && is_finite(value);
    count += normal;
    f += in_fresh ? 1 : 0;
    m += in_memory ? 1 : 0;
  }
  sum = {std::span(buffers.indices).first(count), std::span(buffers.values).first(count), square};
  return finite;
}

Status in_memory_part(Status status) {
  return status ? std::move(status) : Status(std::move(status).error().within("memory part"));
}

}  // namespace

SegmentWriter::SegmentWriter(const PayloadFormat& format, const SegmentGaps& gaps)
    : fresh_(format.fresh_part(), gaps.fresh) {
  if (format.has_memory()) memory_.emplace(format.memory_part(), *gaps.memory);
}

Bytes SegmentWriter::finish() {
  Bytes fresh = fresh_.finish();
  if (!memory_) return fresh;
  ByteWriter segment;
  segment.write(static_cast<std::uint32_t>(fresh.size()));
  segment.append(fresh);
  segment.append(memory_->finish());
  return std::move(segment).take();
}

Result<SegmentParts> split_segment(const PayloadFormat& format, ByteSpan segment) {
  if (!format.has_memory()) return SegmentParts{segment, {}};
  ByteReader in(segment);
  const auto bytes = in.read<std::uint32_t>();
  if (in.failed() || bytes > in.remaining())
    return Error{Errc::kTruncated, "a fresh part that ends too early"};
  const ByteSpan fresh = in.take(bytes);
  return SegmentParts{fresh, in.take(in.remaining())};
}

SegmentReader::SegmentReader(const PayloadFormat& format, const SegmentGaps& gaps)
    : format_(format), fresh_(format.fresh_part(), gaps.fresh) {
  if (format.has_memory()) memory_.emplace(format.memory_part(), *gaps.memory);
}

Status SegmentReader::open(const Layout& layout, std::uint32_t segment, ByteSpan bytes) {
  block_ = 0;
  MUSTER_TRY(const SegmentParts parts, split_segment(format_, bytes));
  MUSTER_TRY_STATUS(fresh_.open(layout, segment, parts.fresh));
  return memory_ ? in_memory_part(memory_->open(layout, segment, parts.memory)) : Status();
}

Result<BlockEntries> SegmentReader::next(BlockBuffers& buffers) {
  const std::uint32_t block = block_++;
  MUSTER_TRY(BlockEntries entries, fresh_.next(buffers.fresh));
  if (!memory_) return entries;
  auto memory = memory_->next(buffers.memory);
  if (!memory) return std::move(memory).error().within("memory part");
  if (!add_parts(entries.indices.size(), memory->indices.size(), buffers, entries))
    return Error{Errc::kNonFinite, "parts whose sum is not finite"}.within("block " +
                                                                           std::to_string(block));
  return entries;
}

Status SegmentReader::close() {
  MUSTER_TRY_STATUS(fresh_.close());
  return memory_ ? in_memory_part(memory_->close()) : Status();
}

}  // namespace muster::compression
