#include "state/checkpoint.h"

#include <cmath>

#include "base/file.h"
#include "base/limits.h"
#include "compression/segmented_blob.h"

namespace muster::state {
namespace {

constexpr std::uint32_t kVersion = 2;

void append_segments(const compression::Layout& layout, std::span<const float> values,
                     std::vector<Bytes>& segments) {
  for (std::uint32_t s = 0; s < layout.segment_count(); ++s) {
    const auto& segment = layout.segment(s);
    const ByteSpan raw = bytes_of(values.subspan(segment.offset, segment.elements));
    segments.emplace_back(raw.begin(), raw.end());
  }
}

Result<std::vector<float>> read_segments(const compression::Layout& layout,
                                         std::span<const Bytes> segments, const std::string& name) {
  std::vector<float> values(layout.parameters());
  for (std::uint32_t s = 0; s < layout.segment_count(); ++s) {
    const auto& segment = layout.segment(s);
    if (segments[s].size() != segment.elements * sizeof(float))
      return Error{Errc::kMalformed, name + ": segment " + std::to_string(s) + " has a wrong size"};
    std::memcpy(values.data() + segment.offset, segments[s].data(), segments[s].size());
  }
  for (const float value : values)
    if (!std::isfinite(value)) return Error{Errc::kNonFinite, name + ": a value is not finite"};
  return values;
}

}  // namespace

Bytes encode_checkpoint(const compression::Layout& layout, ByteSpan note,
                        std::span<const float> theta, std::span<const float> downlink_residual) {
  ByteWriter header;
  header.write(kVersion);
  header.append(layout.hash().bytes);
  header.append(note);
  compression::SegmentedBlob blob{std::move(header).take(), {}};
  append_segments(layout, theta, blob.segments);
  append_segments(layout, downlink_residual, blob.segments);
  return compression::write_blob(blob);
}

Result<Checkpoint> decode_checkpoint(const compression::Layout& layout, ByteSpan bytes,
                                     const std::string& name) {
  MUSTER_TRY(const auto blob, compression::read_blob(bytes));
  ByteReader header(blob.header);
  const auto version = header.read<std::uint32_t>();
  if (version != kVersion)
    return Error{Errc::kVersion, name + ": checkpoint version " + std::to_string(version) +
                                     ", this build reads " + std::to_string(kVersion)};
  const ByteSpan hash = header.take(32);
  if (header.failed() || !std::equal(hash.begin(), hash.end(), layout.hash().bytes.begin()) ||
      blob.segments.size() != 2 * layout.segment_count())
    return Error{Errc::kInvalidArgument, name + ": made for another model"};
  const ByteSpan note = header.take(header.remaining());
  Checkpoint checkpoint{{note.begin(), note.end()}, {}, {}};
  const std::span<const Bytes> segments(blob.segments);
  MUSTER_TRY(checkpoint.theta, read_segments(layout, segments.first(layout.segment_count()), name));
  MUSTER_TRY(checkpoint.downlink_residual,
             read_segments(layout, segments.subspan(layout.segment_count()), name));
  return checkpoint;
}

Status write_checkpoint(const std::filesystem::path& path, const compression::Layout& layout,
                        ByteSpan note, std::span<const float> theta,
                        std::span<const float> downlink_residual) {
  Bytes file = encode_checkpoint(layout, note, theta, downlink_residual);
  const Hash check = compression::blob_id(file).value();
  file.insert(file.end(), check.bytes.begin(), check.bytes.end());
  return replace_file(path, file);
}

Result<Checkpoint> read_checkpoint(const std::filesystem::path& path,
                                   const compression::Layout& layout) {
  const std::string name = path.string();
  MUSTER_TRY(const Bytes file, read_file(path, limits::kBlobBytesMax));
  if (file.size() < 32) return Error{Errc::kTruncated, name + ": cut off"};
  const ByteSpan content = ByteSpan(file).first(file.size() - 32);
  auto actual = compression::blob_id(content);
  if (!actual) return std::move(actual).error().within(name);
  if (!std::equal(actual->bytes.begin(), actual->bytes.end(), file.end() - 32))
    return Error{Errc::kBadHash, name + ": damaged, its checksum does not match"};
  return decode_checkpoint(layout, content, name);
}

}  // namespace muster::state
