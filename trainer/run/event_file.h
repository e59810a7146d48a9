// EventFile: scalars in the form that TensorBoard reads.
//
// Records are framed as TFRecord (tensorflow/core/lib/io/record_writer.cc): u64 length, u32 masked
// CRC-32C of it, the bytes, u32 masked CRC-32C of them; the mask is ((c >> 15 | c << 17) +
// 0xa282ead8). Each record is an Event of tensorflow/core/util/event.proto in protobuf's wire
// format: wall_time 1 (double), step 2 (int64), file_version 3, summary 5 { value 1 { tag 1,
// simple_value 2 (float) } } of framework/summary.proto, session_log 7 { status 1 }. The first
// record says "brain.Event:2". Thread safety: none; one owner.
#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <string_view>

#include "base/file.h"
#include "base/result.h"

namespace muster::trainer {

struct Scalar {
  std::string_view tag;  // "train/loss"
  float value = 0;
};

// CRC-32C (Castagnoli; RFC 3720, appendix B.4) and as TFRecord has it.
[[nodiscard]] std::uint32_t crc32c(ByteSpan bytes);
[[nodiscard]] std::uint32_t masked_crc32c(ByteSpan bytes);

// Event messages without their frame. `wall_s`: seconds since 1970.
[[nodiscard]] Bytes version_event(double wall_s);
[[nodiscard]] Bytes scalars_event(double wall_s, std::int64_t step,
                                  std::span<const Scalar> scalars);
// Says that a run goes on at `step`: TensorBoard drops what it read of later steps from older
// files.
[[nodiscard]] Bytes restart_event(double wall_s, std::int64_t step);
// An event in its frame.
[[nodiscard]] Bytes framed(ByteSpan event);

class EventFile {
 public:
  // Creates FOLDER/events.out.tfevents.SECONDS.muster.PID; TensorBoard reads a folder's files in
  // the order of their names. Errors: kIo, kNoSpace, kAlreadyExists.
  [[nodiscard]] static Result<EventFile> create(const std::filesystem::path& folder, double wall_s);
  [[nodiscard]] Status write(ByteSpan event);
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  EventFile(std::filesystem::path path, FileHandle file)
      : path_(std::move(path)), file_(std::move(file)) {}
  std::filesystem::path path_;
  FileHandle file_;
};

}  // namespace muster::trainer
