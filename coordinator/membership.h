// Membership: who stands on the ledger, who is ready for the coming round, and the roster from
// both.
//
// Thread safety: none; one owner.
#pragma once

#include <map>
#include <optional>
#include <vector>

#include "protocol/chain_head.h"
#include "protocol/deadlines.h"
#include "protocol/ledger_client.h"
#include "protocol/messages.h"

namespace muster::coordinator {

using protocol::LedgerView;
using protocol::Member;

class Membership {
 public:
  void set_ledger(LedgerView view);
  [[nodiscard]] const LedgerView& ledger() const { return view_; }
  [[nodiscard]] const Member* find(const PublicKey& hotkey) const;

  // What the member does, as its newest Ready says, else as in the last roster. A miner where
  // neither tells, and where the ledger does not let it validate.
  [[nodiscard]] Role role_of(const protocol::ChainHead& head, const PublicKey& hotkey) const;

  // Remembers a member's Ready for the coming round; the newest counts.
  void set_ready(const PublicKey& hotkey, const protocol::Ready& ready) { ready_[hotkey] = ready; }
  // A member's Ready for a round that is open without it: it follows that round and is ready for
  // the next.
  void set_following(const PublicKey& hotkey, const protocol::Ready& ready) {
    following_[hotkey] = ready;
  }
  // What it said before does not hold any more.
  void withdraw(const PublicKey& hotkey) {
    ready_.erase(hotkey);
    following_.erase(hotkey);
  }
  // A round is over: who followed it is ready.
  void begin_round();

  // Who is ready in this role; of validators those that still may validate, and have a vote.
  [[nodiscard]] std::size_t ready_count(const protocol::ChainHead& head, Role role) const;
  // Of the last roster's members who still are on the ledger: of the miners, and of the validators
  // that still may validate and have a vote. Both must be a quorum, or complete.
  [[nodiscard]] protocol::Turnout turnout(const protocol::ChainHead& head,
                                          std::uint16_t quorum_percent) const;
  // Ready members in the roles of their Readys, by uid; no validators that the ledger does not let
  // validate any more.
  [[nodiscard]] std::vector<protocol::RosterEntry> roster() const;

 private:
  // Of the ledger's validators, among each other.
  [[nodiscard]] std::map<PublicKey, std::uint64_t> validator_weights(
      const protocol::ChainHead& head) const;

  LedgerView view_;
  std::map<PublicKey, Member> by_hotkey_;
  std::map<PublicKey, protocol::Ready> ready_;
  std::map<PublicKey, protocol::Ready> following_;
};

}  // namespace muster::coordinator
