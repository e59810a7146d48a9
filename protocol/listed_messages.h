// RoundOpen and CommitsClosed have a list with an item of every miner. Their envelopes sign its
// length and its Merkle root; the list itself is attached. Validators, the coordinator and the
// archive get it whole. A miner gets a form of its own: its item, if the list has one, with the
// path to the root. So what a miner receives in a round hardly grows with the number of miners, and
// all forms are one message with one signature and one message_hash().
//
// Thread safety: values and pure functions.
#pragma once

#include <map>

#include "base/hash.h"
#include "protocol/messages.h"
#include "wire/codec.h"
#include "wire/envelope.h"

namespace muster::protocol {

// What CommitsClosed signs of its list.
[[nodiscard]] Hash commit_root_of(const std::vector<Bytes>& commits);

// A message as its envelope has it: what is signed, and what is attached.
struct MessageParts {
  Bytes body;
  Bytes attachment;
};

template <class Message>
[[nodiscard]] MessageParts parts_of(const Message& message) {
  return {wire::encode(message), {}};
}
[[nodiscard]] MessageParts parts_of(const RoundOpen& message);      // REQUIRES: whole
[[nodiscard]] MessageParts parts_of(const CommitsClosed& message);  // REQUIRES: whole

// The inverse, for hostile bytes. Errors: as of wire::decode; kMalformed (an attachment where none
// belongs, an item that has no place in the list), kBadHash (the attachment does not lead to the
// root that is signed).
template <class Message>
[[nodiscard]] Result<Message> message_of(ByteSpan body, ByteSpan attachment) {
  if (!attachment.empty())
    return Error{Errc::kMalformed,
                 std::string(name_of(Message::kType)) + ": an attachment, which it cannot have"};
  return wire::decode<Message>(body, name_of(Message::kType));
}
template <>
[[nodiscard]] Result<RoundOpen> message_of<RoundOpen>(ByteSpan body, ByteSpan attachment);
template <>
[[nodiscard]] Result<CommitsClosed> message_of<CommitsClosed>(ByteSpan body, ByteSpan attachment);

// The error for a miner's form where the whole list is needed: kNotFound.
[[nodiscard]] Error not_whole(std::string_view message);

// The forms of one signed message for single miners.
class MinerForms {
 public:
  // REQUIRES: the envelope of a RoundOpen or a CommitsClosed, whole, that was read before.
  explicit MinerForms(ByteSpan whole);
  // For whoever has no item: the signed part alone.
  [[nodiscard]] Bytes form_for(const PublicKey& hotkey) const;

 private:
  wire::Envelope envelope_;
  std::vector<Bytes> items_;
  MerkleTree tree_;
  std::map<PublicKey, std::uint32_t> ranks_;
};

}  // namespace muster::protocol
