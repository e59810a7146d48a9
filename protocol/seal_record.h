// The blob of a SealRecord: what a manifest rests on, beside it, so that a manifest stays small
// whatever validators and cheaters sent.
//
// A segmented blob: the header has the outcomes and how many Screens follow; then a segment for
// each Screen and one for each piece of evidence. Miners do not need it; validators and the audit
// make the seal again from it. Thread safety: pure functions.
#pragma once

#include <map>

#include "protocol/messages.h"

namespace muster::protocol {

// The most that encode_record can make of what the limits allow: of a roster of 256, the Screens of
// all and evidence against all.
[[nodiscard]] std::uint64_t record_bytes_max();
// REQUIRES: validate(record).
[[nodiscard]] Bytes encode_record(const SealRecord& record);
// Errors: kTruncated, kMalformed, kVersion, kTooLarge, kNonFinite.
[[nodiscard]] Result<SealRecord> decode_record(ByteSpan blob);

// By uid: when its commit and blob were complete, in ms after the round opened, as the coordinator
// recorded it.
[[nodiscard]] std::map<Uid, std::uint32_t> arrivals_of(const SealRecord& record);

}  // namespace muster::protocol
