// RankChannel: messages between a miner and one of its ranks, over a pair of sockets.
//
// A message is u32 kind, u64 length, content. What it holds comes from a process of the same miner,
// and is bounded all the same. Thread safety: one thread at a time.
#pragma once

#include <optional>
#include <utility>

#include "base/bytes.h"
#include "base/file.h"

namespace muster::trainer {

enum class RankMessageKind : std::uint32_t {
  // To a rank.
  kTrain = 1,
  kStop,
  kEncode,
  kSettle,
  kDescribe,
  kWrite,
  kRead,
  // From a rank: a step was taken; a segment's bytes; what was asked for is done; or why not.
  kStepped,
  kSegment,
  kDone,
  kFailed,
};

struct RankMessage {
  RankMessageKind kind = RankMessageKind::kDone;
  Bytes content;
};

class RankChannel {
 public:
  RankChannel() = default;
  explicit RankChannel(FileHandle socket) : socket_(std::move(socket)) {}
  // Both ends; closed at an exec unless handed on. Error: kIo.
  [[nodiscard]] static Result<std::pair<RankChannel, RankChannel>> make_pair();

  // Errors: kClosed (the other side is gone), kIo.
  [[nodiscard]] Status send(RankMessageKind kind, ByteSpan content);
  // Waits. Errors: kClosed, kMalformed (an unknown kind), kTooLarge, kIo.
  [[nodiscard]] Result<RankMessage> receive();
  // Whether receive() would not wait.
  [[nodiscard]] bool is_readable() const;
  [[nodiscard]] int descriptor() const { return socket_.get(); }

 private:
  FileHandle socket_;
};

}  // namespace muster::trainer
