// The seal: from a round's opened payloads and Screens to its aggregate and manifest.
//
// A pure function of what everybody can hold, so the coordinator makes a manifest with it and
// validators and the audit check one by making it again. Thread safety: pure but for the residual
// it updates.
#pragma once

#include <map>
#include <vector>

#include "protocol/round_record.h"
#include "state/aggregate.h"

namespace muster::protocol {

struct SealInputs {
  RoundContext context;
  const ChainHead& head;
  const RoundOpen& open;
  Hash open_hash;
  Hash reveals_hash;
  Hash commit_root;
  const std::map<Uid, OpenedPayload>& payloads;
  const std::map<Uid, std::uint32_t>& arrivals_ms;  // what a verifier takes from the record
  const std::vector<Bytes>& screens;
  const std::vector<Evidence>& evidence;
};

struct SealedRound {
  Manifest manifest;
  SealRecord record;
  Bytes record_blob;
  Bytes aggregate_blob;            // empty in a null round
  compression::Payload aggregate;  // the same, to step with
};

// As far as it follows from outcomes and norms, without the payloads' content: all but the
// aggregate, its id and state_id_after. The same errors.
[[nodiscard]] Result<SealedRound> rule(const SealInputs& inputs);

// Updates `downlink_residual` unless the round is null.
// Errors: kMalformed and the like when `screens` do not belong to the round.
[[nodiscard]] Result<SealedRound> seal(const SealInputs& inputs,
                                       std::span<float> downlink_residual);

}  // namespace muster::protocol
