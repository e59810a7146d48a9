#include "compression/segmented_blob.h"

#include "base/limits.h"
#include "base/parallel.h"

namespace muster::compression {
namespace {

constexpr std::uint32_t kMagic = 0x4c42534d;  // "MSBL"
constexpr std::uint32_t kVersion = 1;
constexpr std::uint32_t kHeaderBytesMax = 1u << 20;

struct Parts {
  ByteSpan prefix_and_header;
  ByteSpan header;
  std::vector<ByteSpan> segments;
};

Result<Parts> split(ByteSpan bytes) {
  ByteReader reader(bytes);
  const auto magic = reader.read<std::uint32_t>();
  const auto version = reader.read<std::uint32_t>();
  const auto header_bytes = reader.read<std::uint32_t>();
  const auto count = reader.read<std::uint32_t>();
  if (reader.failed())
    return Error{Errc::kTruncated,
                 "blob: ends at byte " + std::to_string(bytes.size()) + ", inside its prefix"};
  if (magic != kMagic) return Error{Errc::kMalformed, "blob: no muster blob"};
  if (version != kVersion) {
    return Error{Errc::kVersion, "blob: version " + std::to_string(version) +
                                     ", this build reads " + std::to_string(kVersion)};
  }
  if (header_bytes > kHeaderBytesMax) return Error{Errc::kTooLarge, "blob: header over 1 MiB"};
  if (count > limits::kSegmentsMax || reader.remaining() / 8 < count)
    return Error{Errc::kTooLarge, "blob: " + std::to_string(count) + " segments"};
  std::vector<std::uint64_t> lengths(count);
  for (std::uint64_t& length : lengths) length = reader.read<std::uint64_t>();
  Parts parts;
  parts.header = reader.take(header_bytes);
  parts.prefix_and_header = bytes.first(bytes.size() - reader.remaining());
  if (reader.failed())
    return Error{Errc::kTruncated,
                 "blob: ends at byte " + std::to_string(bytes.size()) + ", inside its header"};
  for (std::uint64_t length : lengths) {
    if (reader.remaining() < length)
      return Error{Errc::kTruncated, "blob: ends at byte " + std::to_string(bytes.size()) +
                                         ", inside segment " +
                                         std::to_string(parts.segments.size())};
    parts.segments.push_back(reader.take(length));
  }
  if (!reader.finished())
    return Error{Errc::kMalformed, "blob: bytes after its last segment, from byte " +
                                       std::to_string(bytes.size() - reader.remaining())};
  return parts;
}

}  // namespace

Bytes write_blob(const SegmentedBlob& blob) {
  MUSTER_CHECK(
      blob.header.size() <= kHeaderBytesMax && blob.segments.size() <= limits::kSegmentsMax,
      "a blob of our own over the limits");
  ByteWriter writer;
  writer.write(kMagic);
  writer.write(kVersion);
  writer.write(static_cast<std::uint32_t>(blob.header.size()));
  writer.write(static_cast<std::uint32_t>(blob.segments.size()));
  for (const Bytes& segment : blob.segments)
    writer.write(static_cast<std::uint64_t>(segment.size()));
  writer.append(blob.header);
  for (const Bytes& segment : blob.segments) writer.append(segment);
  return std::move(writer).take();
}

Result<SegmentedBlob> read_blob(ByteSpan bytes) {
  MUSTER_TRY(const Parts parts, split(bytes));
  SegmentedBlob blob;
  blob.header.assign(parts.header.begin(), parts.header.end());
  for (ByteSpan segment : parts.segments)
    blob.segments.emplace_back(segment.begin(), segment.end());
  return blob;
}

Result<Hash> blob_id(ByteSpan bytes, unsigned threads) {
  MUSTER_TRY(const Parts parts, split(bytes));
  std::vector<Hash> leaves(1 + parts.segments.size());
  leaves[0] = merkle_leaf(parts.prefix_and_header);
  MUSTER_TRY_STATUS(parallel_for(parts.segments.size(), threads, [&] {
    return [&](std::size_t s) -> Status {
      leaves[1 + s] = merkle_leaf(parts.segments[s]);
      return {};
    };
  }));
  return merkle_root(leaves);
}

}  // namespace muster::compression
