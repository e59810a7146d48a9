// AuditedRound: a sealed round as an audit found it, for whoever looks at scores, draws or one
// miner.
//
// Thread safety: a view; what it refers to lives for the call it is handed to.
#pragma once

#include "protocol/round_record.h"

namespace muster::verify {

struct AuditedScreen {
  Uid uid;
  PublicKey hotkey;
  std::uint64_t stake = 0;
  bool promised = false;  // its secret is the one that the roster before promised
  protocol::Screen screen;
};

struct AuditedRound {
  const protocol::ProtocolParams& params;
  const compression::Layout& layout;
  const protocol::Position& position;
  const protocol::ChainHead& head;  // before the round
  const protocol::RoundOpen& open;
  const protocol::Manifest& manifest;
  const protocol::SealRecord& record;  // of the manifest
  const std::map<Uid, protocol::Signed<protocol::Commit>>& commits;
  const std::map<Uid, protocol::Signed<protocol::Reveal>>& reveals;
  // Of every commit. Without payloads: their outcomes and norms only, as the manifest claims them.
  const std::map<Uid, protocol::OpenedPayload>& payloads;
  bool payloads_known = false;
  const std::vector<AuditedScreen>& screens;        // of the manifest, by uid
  const compression::Payload* aggregate = nullptr;  // null in a null round
  Round first_round;                                // of the records: what was before is unknown
};

}  // namespace muster::verify
