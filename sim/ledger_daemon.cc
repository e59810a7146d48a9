#include "sim/ledger_daemon.h"

#include "base/check.h"

namespace muster::sim {

LedgerDaemon::LedgerDaemon(const Seed& seed) : key_(seed), ledger_(genesis_) {}

void LedgerDaemon::sign_newest() {
  head_ = protocol::sign_head(key_, ledger_.genesis_id(), ledger_.block_number(), ledger_.head());
}

void LedgerDaemon::make_block() {
  blocks_.push_back(chain::runtime::encode_block(ledger_.produce_block(true)));
  sign_newest();
}

void LedgerDaemon::lose(std::size_t blocks) {
  MUSTER_CHECK(blocks < blocks_.size(), "a ledger loses more blocks than it has");
  blocks_.resize(blocks_.size() - blocks);
  ledger_ = chain::runtime::Ledger(genesis_);
  for (const Bytes& block : blocks_) {
    const Status applied = ledger_.apply(chain::runtime::decode_block(block).value());
    MUSTER_CHECK(applied.has_value(), applied ? "" : applied.error().message);
  }
  sign_newest();
}

Status LedgerDaemon::serve(chain::BlockFollower& follower) const {
  if (!head_) return {};
  MUSTER_TRY_STATUS(follower.take_head(*head_));
  while (!follower.is_current())
    MUSTER_TRY_STATUS(follower.take_block(blocks_.at(follower.ledger().block_number())));
  return {};
}

Status LedgerDaemon::compare(const chain::BlockFollower& follower,
                             const protocol::LedgerHead& head) const {
  if (!protocol::is_signed_by(head, key()))
    return Error{Errc::kBadSignature, "a head that the ledger's key did not sign"};
  return follower.compare(head);
}

}  // namespace muster::sim
