// Ledger: the deterministic state machine: extrinsics in, blocks and balances out.
//
// A pure core: equal blocks from an equal genesis give equal states and hashes on every machine.
// docs/ledger.md lists the rules. Thread safety: none; one owner.
#pragma once

#include <map>
#include <optional>
#include <vector>

#include "chain/extrinsic.h"
#include "chain/genesis.h"
#include "protocol/ledger_client.h"

namespace muster::chain {

struct Block {
  std::uint64_t number = 0;
  Hash parent;      // hash of the block before; of the genesis for block 1
  Hash state;       // of the ledger after this block
  std::vector<Extrinsic> extrinsics;  // applied, in order
  template <class Archive>
  void serialize(Archive& archive) { archive(number, parent, state, extrinsics); }
};
[[nodiscard]] Hash block_hash(const Block& block);

class Ledger {
 public:
  explicit Ledger(const Genesis& genesis);

  // Whether `extrinsic` would be applied now, after those already queued.
  [[nodiscard]] Refusal check(const Extrinsic& extrinsic) const;
  // Applies it to the block being built. Nothing changes when it is refused.
  Refusal submit(const Extrinsic& extrinsic);
  // Closes the block being built, runs the epoch when one is due, and returns the block.
  Block produce_block();
  // Replays a block made earlier. Errors: kConflict (it does not follow, or gives another state).
  [[nodiscard]] Status apply(const Block& block);

  [[nodiscard]] const Genesis& genesis() const { return genesis_; }
  [[nodiscard]] const Hash& genesis_id() const { return genesis_hash_; }
  [[nodiscard]] std::uint64_t block_number() const { return number_; }
  [[nodiscard]] const Hash& head() const { return head_; }
  [[nodiscard]] std::uint32_t nonce_of(const PublicKey& hotkey) const;
  [[nodiscard]] std::uint64_t balance_of(const PublicKey& hotkey) const;
  [[nodiscard]] protocol::Metagraph metagraph() const;
  [[nodiscard]] Hash state_hash() const;

 private:
  struct Account {
    std::uint64_t balance = 0;
    std::uint32_t nonce = 0;
  };
  struct Commitment {
    Hash hash;
    std::uint64_t epoch = 0;
  };
  struct Member {
    protocol::Neuron neuron;
    std::optional<Commitment> commitment;
    std::vector<std::pair<Uid, std::uint16_t>> weights;
  };
  [[nodiscard]] std::uint64_t epoch() const { return (number_ + 1) / genesis_.tempo; }
  [[nodiscard]] const Member* find(const PublicKey& hotkey) const;
  [[nodiscard]] Refusal check_call(const PublicKey& hotkey, const Call& call) const;
  [[nodiscard]] Refusal check_reveal(const Member& member, const Call& call) const;
  void apply_call(const PublicKey& hotkey, const Call& call);
  void run_due_epoch();

  Genesis genesis_;
  Hash genesis_hash_;
  std::uint64_t number_ = 0;  // of the last closed block
  Hash head_;
  std::map<PublicKey, Account> accounts_;
  std::map<Uid, Member> members_;
  std::map<PublicKey, Uid> uids_;
  std::vector<Extrinsic> pending_;
};

}  // namespace muster::chain
