// Typed messages in and out of signed envelopes.
//
// Thread safety: pure functions.
#pragma once

#include "base/result.h"
#include "base/sign.h"
#include "protocol/listed_messages.h"
#include "protocol/messages.h"
#include "wire/codec.h"
#include "wire/envelope.h"

namespace muster::protocol {

// Where in the run's history a message belongs.
struct Position {
  Hash run_id;
  Round round;
  Hash parent;
  bool operator==(const Position&) const = default;
};

template <class Message>
void set_body(wire::Envelope& envelope, const Message& message) {
  auto [body, attachment] = parts_of(message);
  envelope.body = std::move(body);
  envelope.attachment = std::move(attachment);
}

template <class Message>
[[nodiscard]] Bytes sign_message(const Position& position, const Message& message,
                                 const SigningKey& key) {
  wire::Envelope envelope;
  envelope.type = static_cast<std::uint8_t>(Message::kType);
  envelope.run_id = position.run_id;
  envelope.round = position.round;
  envelope.parent = position.parent;
  set_body(envelope, message);
  return wire::seal_envelope(std::move(envelope), key);
}

[[nodiscard]] inline bool is_a(const wire::Envelope& envelope, MessageType type) {
  return envelope.type == static_cast<std::uint8_t>(type);
}

// Decodes and validates body and attachment. Errors: kMalformed (another type too), kTruncated,
// kTooLarge, kNonFinite, kBadHash (the attachment is not what the body says).
template <class Message>
[[nodiscard]] Result<Message> read_body(const wire::Envelope& envelope) {
  if (!is_a(envelope, Message::kType)) {
    return Error{Errc::kMalformed, "expected " + std::string(name_of(Message::kType)) + ", got " +
                                       std::string(name_of(MessageType{envelope.type}))};
  }
  MUSTER_TRY(Message message, message_of<Message>(envelope.body, envelope.attachment));
  MUSTER_TRY_STATUS(validate(message));
  return message;
}

// Errors: kWrongRun, kWrongRound (another round or parent).
[[nodiscard]] inline Status check_position(const wire::Envelope& envelope,
                                           const Position& position) {
  const std::string name(name_of(MessageType{envelope.type}));
  if (envelope.run_id != position.run_id)
    return Error{Errc::kWrongRun, name + " belongs to run " + envelope.run_id.brief()};
  if (envelope.round != position.round) {
    return Error{Errc::kWrongRound, name + " is for round " + std::to_string(envelope.round.value) +
                                        ", this is round " + std::to_string(position.round.value)};
  }
  if (envelope.parent != position.parent)
    return Error{Errc::kWrongRound, name + " builds on another manifest"};
  return {};
}

// A message, its signed bytes and who signed it.
template <class Message>
struct Signed {
  Message message;
  Bytes bytes;
  PublicKey sender;
};

// Opens a signed message that must stand at `position`.
template <class Message>
[[nodiscard]] Result<Signed<Message>> open_at(ByteSpan bytes, const Position& position) {
  MUSTER_TRY(const wire::Envelope envelope, wire::open_envelope(bytes));
  MUSTER_TRY(Message message, read_body<Message>(envelope));
  MUSTER_TRY_STATUS(check_position(envelope, position));
  return Signed<Message>{std::move(message), Bytes(bytes.begin(), bytes.end()), envelope.sender};
}

}  // namespace muster::protocol
