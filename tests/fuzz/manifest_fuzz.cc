// Every message type: what decodes must encode to the same bytes.
#include <algorithm>

#include "base/check.h"
#include "protocol/chain_head.h"
#include "protocol/listed_messages.h"
#include "protocol/params.h"
#include "wire/codec.h"

namespace {

template <class Message>
void check(muster::ByteSpan bytes) {
  const auto message = muster::wire::decode<Message>(bytes, "fuzzed");
  if (!message) return;
  MUSTER_CHECK(muster::wire::encode(*message) == muster::Bytes(bytes.begin(), bytes.end()),
               "not canonical");
}

// A message with a list: the first byte says how many of the others are the body.
template <class Message>
void check_listed(muster::ByteSpan bytes) {
  if (bytes.empty()) return;
  const muster::ByteSpan parts = bytes.subspan(1);
  const std::size_t split = std::min<std::size_t>(bytes[0], parts.size());
  const auto message =
      muster::protocol::message_of<Message>(parts.first(split), parts.subspan(split));
  if (!message || message->excerpt) return;
  const auto again = muster::protocol::parts_of(*message);
  MUSTER_CHECK(std::ranges::equal(again.body, parts.first(split)) &&
                   std::ranges::equal(again.attachment, parts.subspan(split)),
               "not canonical");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace muster::protocol;
  if (size == 0) return 0;
  const muster::ByteSpan body(data + 1, size - 1);
  switch (data[0] % 16) {
    case 0:
      check<Ready>(body);
      break;
    case 1:
      check_listed<RoundOpen>(body);
      break;
    case 2:
      check<Commit>(body);
      break;
    case 3:
      check_listed<CommitsClosed>(body);
      break;
    case 4:
      check<RevealsClosed>(body);
      break;
    case 5:
      check<Screen>(body);
      break;
    case 6:
      check<Manifest>(body);
      break;
    case 7:
      check<Attest>(body);
      break;
    case 8:
      check<Dispute>(body);
      break;
    case 9:
      check<Receipt>(body);
      break;
    case 10:
      check<Checkpoint>(body);
      break;
    case 11:
      check<Joined>(body);
      break;
    case 12:
      check<Finished>(body);
      break;
    case 13:
      check<Refused>(body);
      break;
    case 14:
      check<Restarted>(body);
      break;
    default:
      check<HeadState>(body);
      break;
  }
  return 0;
}
