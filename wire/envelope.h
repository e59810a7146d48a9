// Envelope: the signed form of every control message.
//
// The signature covers version, type, run, round, parent, sender and body, domain-separated, so
// that no message can be taken for another kind, run or round. What hangs at a message unsigned,
// its attachment, must follow from the body, which has its hash; most messages have none. Thread
// safety: values and pure functions.
#pragma once

#include <cstdint>

#include "base/bytes.h"
#include "base/hash.h"
#include "base/result.h"
#include "base/sign.h"
#include "base/types.h"

namespace muster::wire {

inline constexpr std::uint8_t kEnvelopeVersion = 2;

struct Envelope {
  std::uint8_t type = 0;  // protocol/messages.h numbers them
  Hash run_id;
  Round round;
  Hash parent;  // hash of the manifest that the sender built on; zero before the first
  PublicKey sender;
  Bytes body;
  Signature signature;
  Bytes attachment;  // not signed; whoever reads the body checks it
};

[[nodiscard]] Bytes seal_envelope(Envelope envelope, const SigningKey& key);

// The bytes of an envelope that is signed already.
[[nodiscard]] Bytes encode_envelope(const Envelope& envelope);

// Decodes and checks the signature. Errors: kVersion, kTooLarge, kTruncated, kMalformed,
// kBadSignature.
[[nodiscard]] Result<Envelope> open_envelope(ByteSpan bytes);

// Decodes without checking the signature: for bytes that this process has opened or signed before.
[[nodiscard]] Result<Envelope> reread_envelope(ByteSpan bytes);

// Identifies the signed message, whatever is attached to it.
[[nodiscard]] Hash message_hash(ByteSpan envelope_bytes);

}  // namespace muster::wire
