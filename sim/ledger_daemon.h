// LedgerDaemon: the ledger of a simulated network, of which each node makes its own again as real
// nodes do.
//
// Its blocks are empty: the members of a network stand in its world (world.h). Thread safety: none.
#pragma once

#include <optional>
#include <vector>

#include "chain/service/block_follower.h"

namespace muster::sim {

class LedgerDaemon {
 public:
  explicit LedgerDaemon(const Seed& seed);
  [[nodiscard]] const chain::runtime::Genesis& genesis() const { return genesis_; }
  [[nodiscard]] const PublicKey& key() const { return key_.public_key(); }
  void make_block();
  // As if it were put back from an older copy: the last `blocks` are gone. REQUIRES: it has more.
  void lose(std::size_t blocks);
  // Hands `follower` what it lacks. Errors: those of take_head and take_block.
  [[nodiscard]] Status serve(chain::BlockFollower& follower) const;
  // Whether `head` is of the history that `follower` has. Errors: kBadSignature, those of
  // BlockFollower::compare.
  [[nodiscard]] Status compare(const chain::BlockFollower& follower,
                               const protocol::LedgerHead& head) const;

 private:
  void sign_newest();

  SigningKey key_;
  chain::runtime::Genesis genesis_;
  chain::runtime::Ledger ledger_;
  std::vector<Bytes> blocks_;                 // from number 1 on
  std::optional<protocol::LedgerHead> head_;  // of the newest; none: there is no block yet
};

}  // namespace muster::sim
