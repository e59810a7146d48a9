// Membership: who stands on the ledger, who is ready for the coming round, and the roster from both.
//
// Thread safety: none; one owner.
#pragma once

#include <map>
#include <optional>
#include <vector>

#include "protocol/chain_head.h"
#include "protocol/messages.h"

namespace muster::coordinator {

struct Member {
  Uid uid;
  PublicKey hotkey;
  Role role = Role::kMiner;
  std::uint64_t stake = 0;  // rao
};

struct LedgerView {
  std::uint64_t block = 0;
  Hash block_hash;
  std::vector<Member> members;
};

class Membership {
 public:
  void set_ledger(LedgerView view);
  [[nodiscard]] const LedgerView& ledger() const { return view_; }
  [[nodiscard]] const Member* find(const PublicKey& hotkey) const;

  // Remembers a member's Ready for the coming round; the newest counts.
  void set_ready(const PublicKey& hotkey, const protocol::Ready& ready) { ready_[hotkey] = ready; }
  // A member's Ready for a round that is open without it: it follows that round and is ready for the next.
  void set_following(const PublicKey& hotkey, const protocol::Ready& ready) {
    following_[hotkey] = ready;
  }
  // A round is over: who followed it is ready.
  void begin_round();

  [[nodiscard]] std::size_t ready_count(Role role) const;
  [[nodiscard]] bool has_staked_validator() const;
  // Of those that the last rounds make worth waiting for.
  struct Attendance {
    std::size_t expected = 0;
    std::size_t ready = 0;
  };
  [[nodiscard]] Attendance attendance(const protocol::ChainHead& head, Role role) const;
  [[nodiscard]] bool all_expected_ready(const protocol::ChainHead& head) const;
  // Ready members, by uid.
  [[nodiscard]] std::vector<protocol::RosterEntry> roster() const;

 private:
  LedgerView view_;
  std::map<PublicKey, Member> by_hotkey_;
  std::map<PublicKey, protocol::Ready> ready_;
  std::map<PublicKey, protocol::Ready> following_;
};

}  // namespace muster::coordinator
