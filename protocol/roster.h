// Rosters: whether the ledger bears out what a RoundOpen says of its members.
//
// The coordinator chooses who of the ledger's members is in a round, by who is ready and as what.
// It invents no uid, hotkey or stake, and no validator without a permit: who has the ledger
// compares. Thread safety: pure functions.
#pragma once

#include <optional>
#include <string>

#include "protocol/ledger_client.h"
#include "protocol/messages.h"

namespace muster::protocol {

// The block that a RoundOpen says its roster is of.
struct RosterBlock {
  std::uint64_t number = 0;
  Hash hash;
  std::optional<Signature> signature;  // the ledger's
};
[[nodiscard]] RosterBlock roster_block(const RoundOpen& open);
// How the ledger left its members with it. Errors: those of members_at; kConflict, the ledger
// signed that block and has another of its number now, so the coordinator made nothing up.
[[nodiscard]] Result<LedgerView> members_behind(LedgerClient& ledger, const RosterBlock& block);

// What a roster says and the ledger does not.
struct RosterLie {
  std::string what;  // the first difference, in words
  Hash expected;     // hash of the ledger's member, or of the block where that differs
  Hash found;        // the same of the roster
};

// None: every member of the roster is the ledger's. REQUIRES: `view` is of the block that `open`
// names by number.
[[nodiscard]] std::optional<RosterLie> find_lie(const RoundOpen& open, const LedgerView& view);

}  // namespace muster::protocol
