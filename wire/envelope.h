// Envelope: the signed form of every control message.
//
// The signature covers version, type, run, round, parent, sender and body, domain-separated, so that no
// message can be taken for another kind, run or round. Thread safety: values and pure functions.
#pragma once

#include <cstdint>

#include "base/bytes.h"
#include "base/hash.h"
#include "base/result.h"
#include "base/sign.h"
#include "base/types.h"

namespace muster::wire {

inline constexpr std::uint8_t kEnvelopeVersion = 1;

struct Envelope {
  std::uint8_t type = 0;  // protocol/messages.h numbers them
  Hash run_id;
  Round round;
  Hash parent;  // hash of the manifest that the sender built on; zero before the first
  PublicKey sender;
  Bytes body;
  Signature signature;
};

[[nodiscard]] Bytes seal_envelope(Envelope envelope, const SigningKey& key);

// Decodes and checks the signature. Errors: kVersion, kTooLarge, kTruncated, kMalformed, kBadSignature.
[[nodiscard]] Result<Envelope> open_envelope(ByteSpan bytes);

// Decodes without checking the signature: for bytes that this process has opened or signed before.
[[nodiscard]] Result<Envelope> reread_envelope(ByteSpan bytes);

// Identifies the signed message as sent.
[[nodiscard]] Hash message_hash(ByteSpan envelope_bytes);

}  // namespace muster::wire
