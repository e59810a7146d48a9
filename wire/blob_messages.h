// The messages of blob transfer: one struct for all kinds keeps the grammar small; unused fields
// are zero and empty.
//
// Thread safety: pure functions.
#pragma once

#include <string>

#include "base/limits.h"
#include "wire/codec.h"

namespace muster::wire {

struct BlobMessage {
  // kWait: not now; ask or offer again later. kRefused: not at all.
  enum class Kind : std::uint8_t { kGet, kPut, kFrame, kWant, kHave, kRefused, kWait };
  friend constexpr std::uint8_t enum_count(Kind) { return 7; }

  Kind kind = Kind::kGet;
  Hash id;
  std::uint64_t offset = 0;  // kGet, kFrame, kWant
  std::uint64_t total = 0;   // kPut, kFrame: bytes of the blob
  std::uint32_t frames = 0;  // kGet, kWant: credit
  Bytes bytes;               // kFrame
  std::string reason;        // kRefused, kWait
  template <class Archive>
  void serialize(Archive& archive) {
    archive(kind, id, offset, total, frames, bytes, reason);
  }
};

// Errors: kMalformed, kTooLarge.
[[nodiscard]] inline Result<BlobMessage> read_blob_message(ByteSpan bytes) {
  MUSTER_TRY(BlobMessage message, decode<BlobMessage>(bytes, "blob message"));
  if (message.bytes.size() > limits::kFrameBytesMax)
    return Error{Errc::kTooLarge,
                 "blob frame of " + std::to_string(message.bytes.size()) + " bytes"};
  if (message.frames > limits::kTransferCreditFrames)
    return Error{Errc::kTooLarge, "blob credit of " + std::to_string(message.frames) + " frames"};
  return message;
}

[[nodiscard]] inline Bytes blob_answer(BlobMessage::Kind kind, const Hash& id,
                                       std::string reason = {}) {
  BlobMessage message;
  message.kind = kind;
  message.id = id;
  message.reason = std::move(reason);
  return encode(message);
}

inline constexpr std::uint64_t kCreditBytes =
    std::uint64_t{limits::kTransferCreditFrames} * limits::kFrameBytesMax;

}  // namespace muster::wire
