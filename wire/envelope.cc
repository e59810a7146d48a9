#include "wire/envelope.h"

#include "wire/codec.h"

namespace muster::wire {

template <class Archive>
void serialize(Archive& archive, Envelope& envelope) {
  archive(envelope.type, envelope.run_id, envelope.round, envelope.parent, envelope.sender,
          envelope.body, envelope.signature, envelope.attachment);
}

namespace {

Hash signed_hash(const Envelope& envelope) {
  ByteWriter head;
  head.write(kEnvelopeVersion);
  head.write(envelope.type);
  head.write(envelope.round.value);
  return tagged_hash("muster/envelope", {head.bytes(), envelope.run_id.bytes, envelope.parent.bytes,
                                         envelope.sender.bytes, envelope.body});
}

}  // namespace

Bytes seal_envelope(Envelope envelope, const SigningKey& key) {
  envelope.sender = key.public_key();
  envelope.signature = key.sign(signed_hash(envelope).bytes);
  return encode_envelope(envelope);
}

Bytes encode_envelope(const Envelope& envelope) {
  WriteArchive archive;
  archive(kEnvelopeVersion, envelope);
  return std::move(archive.out).take();
}

Result<Envelope> reread_envelope(ByteSpan bytes) {
  if (bytes.empty()) return Error{Errc::kTruncated, "envelope: empty"};
  if (bytes[0] != kEnvelopeVersion) {
    return Error{Errc::kVersion, "envelope: version " + std::to_string(bytes[0]) +
                                     ", this build speaks " + std::to_string(kEnvelopeVersion)};
  }
  return decode<Envelope>(bytes.subspan(1), "envelope");
}

Result<Envelope> open_envelope(ByteSpan bytes) {
  MUSTER_TRY(Envelope envelope, reread_envelope(bytes));
  if (!verify_signature(envelope.sender, signed_hash(envelope).bytes, envelope.signature)) {
    return Error{Errc::kBadSignature,
                 "envelope: not signed by " + envelope.sender.hex() + ", whom it names as sender"};
  }
  return envelope;
}

Hash message_hash(ByteSpan envelope_bytes) {
  const auto envelope = reread_envelope(envelope_bytes);
  const std::size_t attached = envelope ? sizeof(std::uint32_t) + envelope->attachment.size() : 0;
  return tagged_hash("muster/message", envelope_bytes.first(envelope_bytes.size() - attached));
}

}  // namespace muster::wire
