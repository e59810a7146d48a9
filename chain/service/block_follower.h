// BlockFollower: a ledger made again from its blocks, by a node that does not trust whoever serves
// them.
//
// It starts from the genesis that the run names, applies every block itself, and so knows each
// stake, role and uid without the ledger's word. What the ledger signs is one line of blocks: a
// head behind an earlier one, another block of the same number, or a block that does not follow is
// named with both signatures. A pure core. Thread safety: none; one owner.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>

#include "chain/runtime/ledger.h"
#include "protocol/ledger_client.h"
#include "protocol/ledger_head.h"

namespace muster::chain {

class BlockFollower {
 public:
  // REQUIRES: a valid genesis.
  BlockFollower(const runtime::Genesis& genesis, const PublicKey& ledger);

  // What a node keeps: the ledger as it was followed last, and the newest head that was signed for
  // it.
  struct Saved {
    Bytes snapshot;
    std::optional<protocol::LedgerHead> head;
    template <class Archive>
    void serialize(Archive& archive) {
      archive(snapshot, head);
    }
  };
  [[nodiscard]] Saved save() const { return {runtime::encode_snapshot(ledger_.snapshot()), head_}; }
  // Errors: those of Ledger::restore and decode_snapshot.
  [[nodiscard]] Status restore(const Saved& saved);

  // The ledger's newest head. The blocks must lead to it, and before that to the one that was taken
  // when this node was behind, such as the newest that it kept from before a restart. Errors:
  // kBadSignature; kWrongRun (another genesis); kConflict (a fork or a rollback, with both heads).
  [[nodiscard]] Status take_head(const protocol::LedgerHead& head);
  // The next block. Errors: kMalformed, kConflict (it does not follow from what this node has, with
  // the heads).
  [[nodiscard]] Status take_block(ByteSpan block);
  // Whether every block up to the newest head was applied.
  [[nodiscard]] bool is_current() const { return head_ && ledger_.block_number() == head_->number; }
  // Another node's head of the same ledger: kConflict where it is of another history than this
  // node's; nothing where it is newer than this node's or too old to tell. REQUIRES: is_signed_by
  // the ledger's key.
  [[nodiscard]] Status compare(const protocol::LedgerHead& other) const;

  // How a closed block left a subnet's members, of the last kMembersKept; none: the newest. Errors:
  // kNotFound (a block or a subnet that is not among them).
  [[nodiscard]] Result<protocol::LedgerView> members_at(Netuid netuid,
                                                        std::optional<std::uint64_t> block) const;
  static constexpr std::size_t kMembersKept = 512;

  [[nodiscard]] const runtime::Ledger& ledger() const { return ledger_; }
  [[nodiscard]] const std::optional<protocol::LedgerHead>& head() const { return head_; }

 private:
  // Who was on each subnet when a block was closed; shared with the block before where nothing
  // changed.
  struct ClosedBlock {
    std::uint64_t number = 0;
    Hash hash;
    std::map<Netuid, std::shared_ptr<const std::vector<protocol::Member>>> members;
  };
  void keep_members();
  [[nodiscard]] Error forked(const std::string& what, const protocol::LedgerHead& other) const;

  runtime::Ledger ledger_;
  PublicKey key_;
  std::optional<protocol::LedgerHead> head_;    // the newest
  std::optional<protocol::LedgerHead> before_;  // the newest whose block was applied
  std::optional<protocol::LedgerHead>
      awaited_;                     // the oldest whose block was not, where head_ is newer
  std::deque<ClosedBlock> closed_;  // ascending
};

}  // namespace muster::chain
