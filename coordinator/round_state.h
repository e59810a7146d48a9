// RoundState: what has arrived in the open round. Thread safety: a value.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <vector>

#include "base/clock.h"
#include "protocol/round_record.h"

namespace muster::coordinator {

struct RoundState {
  std::optional<protocol::Signed<protocol::RoundOpen>> open;
  std::optional<protocol::MinerForms> open_forms, close_forms;  // for miners
  Hash open_hash;
  std::optional<Bytes> commits_closed;  // as sent
  std::optional<Bytes> reveals_closed;  // as sent
  Hash commit_root;
  Hash reveals_hash;

  std::uint64_t payload_bytes_max = 0;  // of the round's format

  std::map<Uid, protocol::Signed<protocol::Commit>> commits;  // accepted; after the close: listed
  std::set<Uid> uploaded;                                     // whose committed payload is here
  std::map<Uid, std::uint32_t> arrivals_ms;                   // commit and blob complete
  std::map<Uid, protocol::Signed<protocol::Reveal>> reveals;
  std::map<Uid, protocol::Signed<protocol::Screen>> screens;
  std::vector<protocol::Evidence> evidence;
  std::map<Uid, protocol::OpenedPayload> payloads;  // of all commits, once open
  bool payloads_open = false;
  std::map<PublicKey, Bytes> attestations;  // about the parent, for the next open
  std::optional<TimeMs> quorum_at;
  std::uint32_t hard_ms = 0;  // of the phase, after a resume shorter
};

}  // namespace muster::coordinator
