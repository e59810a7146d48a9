// Transport: whole messages between hotkeys, unordered between peers, in order from one while
// connected.
//
// A message to a connected peer arrives or the connection is lost; nothing is kept for who is away:
// the protocol re-sends. Identity is the peer's key, proven by the channel, never what it says of
// itself. Thread safety: one thread per transport.
#pragma once

#include <cstdint>
#include <optional>

#include "base/bytes.h"
#include "base/result.h"
#include "base/sign.h"

namespace muster::wire {

struct Incoming {
  PublicKey from;
  Bytes message;
};

class Transport {
 public:
  virtual ~Transport() = default;

  // Errors: kNotFound (the peer is not connected), kTooLarge, kClosed (its queue is full: it does
  // not read; the message is dropped).
  [[nodiscard]] virtual Status send(const PublicKey& to, ByteSpan message) = 0;

  // The next message, or nothing after `timeout_ms` (0: at once) or when `wake_fd` (−1: none)
  // becomes readable. Errors: kIo.
  [[nodiscard]] virtual Result<std::optional<Incoming>> receive(int timeout_ms,
                                                                int wake_fd = -1) = 0;
};

}  // namespace muster::wire
