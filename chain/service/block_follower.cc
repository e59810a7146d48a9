#include "chain/service/block_follower.h"

#include <algorithm>

#include "chain/service/network_view.h"

namespace muster::chain {

using protocol::LedgerHead;

BlockFollower::BlockFollower(const runtime::Genesis& genesis, const PublicKey& ledger)
    : ledger_(genesis), key_(ledger) {
  keep_members();
}

Status BlockFollower::restore(const Saved& saved) {
  MUSTER_TRY(runtime::Snapshot snapshot, runtime::decode_snapshot(saved.snapshot));
  MUSTER_TRY(ledger_, runtime::Ledger::restore(ledger_.genesis(), std::move(snapshot)));
  head_ = before_ = saved.head;
  awaited_.reset();
  closed_.clear();
  keep_members();
  return {};
}

Error BlockFollower::forked(const std::string& what, const LedgerHead& other) const {
  return {Errc::kConflict, "the ledger " + what + ": it signed " +
                               (head_ ? describe(*head_) : "nothing") + "; and " + describe(other)};
}

Status BlockFollower::take_head(const LedgerHead& head) {
  if (!is_signed_by(head, key_))
    return Error{Errc::kBadSignature, "a head that the ledger's key did not sign"};
  if (head.genesis != ledger_.genesis_id())
    return Error{Errc::kWrongRun, "a ledger of genesis " + head.genesis.brief() +
                                      ", the run's is " + ledger_.genesis_id().brief()};
  if (head_ && head.number < head_->number) return forked("went back", head);
  MUSTER_TRY_STATUS(compare(head));
  if (head_ && head.number == head_->number && head.block != head_->block)
    return forked("signed two blocks of one number", head);
  if (is_current()) {
    before_ = head_;
  } else if (!awaited_ && head_ != head) {
    awaited_ = head_;
  }
  head_ = head;
  return {};
}

Status BlockFollower::compare(const LedgerHead& other) const {
  if (other.genesis != ledger_.genesis_id() || other.number > ledger_.block_number()) return {};
  const auto own = ledger_.hash_of_block(other.number);
  return !own || *own == other.block ? Status() : Status(forked("keeps two histories", other));
}

Status BlockFollower::take_block(ByteSpan bytes) {
  MUSTER_TRY(const runtime::Block block, runtime::decode_block(bytes));
  if (Status applied = ledger_.apply(block); !applied) {
    Error error = std::move(applied).error();
    if (before_) error.message += "; before it, the ledger signed " + describe(*before_);
    if (head_) error.message += "; now " + describe(*head_);
    return error;
  }
  if (awaited_ && ledger_.block_number() == awaited_->number) {
    if (ledger_.head() != awaited_->block) return forked("keeps two histories", *awaited_);
    before_ = std::exchange(awaited_, std::nullopt);
  }
  if (head_ && ledger_.block_number() == head_->number && ledger_.head() != head_->block)
    return Error{Errc::kConflict, "the ledger hands out another block " +
                                      std::to_string(head_->number) + ", " + ledger_.head().hex() +
                                      ", than it signed: " + describe(*head_)};
  // Nobody asks for those of blocks that were long closed when they came.
  if (!head_ || ledger_.block_number() + kMembersKept > head_->number) keep_members();
  return {};
}

void BlockFollower::keep_members() {
  ClosedBlock block{ledger_.block_number(), ledger_.head(), {}};
  for (const auto& [netuid, subnet] : ledger_.state().subnets) {
    if (netuid == kRootNetuid) continue;
    auto members = protocol::members_of(network_view(ledger_, netuid).value());
    if (!closed_.empty()) {
      const auto before = closed_.back().members.find(netuid);
      if (before != closed_.back().members.end() && *before->second == members) {
        block.members.insert(*before);
        continue;
      }
    }
    block.members[netuid] =
        std::make_shared<const std::vector<protocol::Member>>(std::move(members));
  }
  closed_.push_back(std::move(block));
  if (closed_.size() > kMembersKept) closed_.pop_front();
}

Result<protocol::LedgerView> BlockFollower::members_at(Netuid netuid,
                                                       std::optional<std::uint64_t> number) const {
  const auto block =
      number ? std::ranges::find(closed_, *number, &ClosedBlock::number) : std::prev(closed_.end());
  if (block == closed_.end())
    return Error{Errc::kNotFound,
                 "block " + std::to_string(*number) + " of the ledger is none of blocks " +
                     std::to_string(closed_.front().number) + " to " +
                     std::to_string(closed_.back().number) + ", whose members this node has"};
  const auto members = block->members.find(netuid);
  if (members == block->members.end())
    return Error{Errc::kNotFound, "there was no subnet " + std::to_string(netuid) + " in block " +
                                      std::to_string(block->number)};
  protocol::LedgerView view{block->number, block->hash, *members->second};
  if (head_ && head_->number == block->number && head_->block == block->hash)
    view.signature = head_->signature;
  return view;
}

}  // namespace muster::chain
