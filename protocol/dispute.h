// Disputes: whether the proof in one holds up, as far as its messages alone can show.
//
// Thread safety: pure functions.
#pragma once

#include "protocol/params.h"
#include "protocol/signed_message.h"

namespace muster::protocol {

// Checks a Dispute that `sender` signed about `round`: every message of its proof is signed, of
// this run and of that round; a forked close shows two messages where one may exist, or one that is
// no close; a censored commit shows receipts for the commit and its blob and a close without it; a
// wrong aggregate shows the coordinator's messages of the round; a wrong state root the validators'
// attestations; a roster that the ledger does not bear out shows the RoundOpen, which whoever has
// the ledger compares with the block that it names. Errors: kMalformed (names what is missing),
// kBadSignature, kWrongRun, kWrongRound, kTooLarge.
[[nodiscard]] Status check_dispute(const Dispute& dispute, const PublicKey& sender,
                                   const PublicKey& coordinator, const Hash& run_id, Round round);

}  // namespace muster::protocol
