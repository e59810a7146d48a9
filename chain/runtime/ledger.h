// Ledger: extrinsics in, blocks and balances out; the deterministic core of a chain with one
// author.
//
// Block n begins with its step (prices, emission, epochs) and then applies extrinsics in the order
// in which they come; the ledger is always inside the block being built, so state() is that block's
// so far. A pure core: equal blocks from an equal genesis give equal states and hashes on every
// machine. Thread safety: none; one owner.
#pragma once

#include <deque>

#include "chain/codec/signed_extrinsic.h"
#include "chain/runtime/event.h"
#include "chain/runtime/genesis.h"
#include "chain/runtime/refusal.h"

namespace muster::chain::runtime {

// How many blocks back a mortal extrinsic may be born.
inline constexpr std::size_t kBlockHashesKept = 2400;

struct Block {
  std::uint64_t number = 0;
  Hash parent;                    // hash of the block before; of the genesis for block 1
  std::vector<Bytes> extrinsics;  // applied, in order
  std::optional<Hash> state;      // of the ledger after this block, when its author took the time
  bool operator==(const Block&) const = default;
  static void fields(auto& self, auto& codec) {
    codec(self.number, self.parent, self.extrinsics, self.state);
  }
};
[[nodiscard]] Hash block_hash(const Block& block);
[[nodiscard]] Bytes encode_block(const Block& block);
// Errors: those of error_of(ScaleFault).
[[nodiscard]] Result<Block> decode_block(ByteSpan bytes);

// What submitting gave: refused, or applied with its call's outcome.
struct Submission {
  Refusal refusal = Refusal::kNone;
  Hash hash;                           // of the extrinsic
  std::optional<DispatchError> error;  // the call failed; nonce and fee are spent
  std::uint64_t fee_rao = 0;
  [[nodiscard]] bool applied() const { return refusal == Refusal::kNone; }
};

// A ledger between two blocks, so that a daemon needn't replay all of them when it starts.
struct Snapshot {
  Hash genesis;
  std::vector<Hash> recent_hashes;  // of the last blocks, oldest first
  State state;                      // of the block being built, its step done
  static void fields(auto& self, auto& codec) {
    codec(self.genesis, self.recent_hashes, self.state);
  }
};
[[nodiscard]] Bytes encode_snapshot(const Snapshot& snapshot);
// Errors: those of error_of(ScaleFault).
[[nodiscard]] Result<Snapshot> decode_snapshot(ByteSpan bytes);

class Ledger {
 public:
  // Begins block 1. REQUIRES: a valid genesis.
  explicit Ledger(const Genesis& genesis);

  // Goes on where a snapshot of one's own was taken. Errors: kWrongRun (of another genesis),
  // kMalformed (no hashes, or a state that doesn't add up).
  [[nodiscard]] static Result<Ledger> restore(const Genesis& genesis, Snapshot snapshot);
  // REQUIRES: nothing was submitted since the last block.
  [[nodiscard]] Snapshot snapshot() const;

  // Whether `extrinsic` would be applied now.
  [[nodiscard]] Refusal check(ByteSpan extrinsic) const;
  // Applies it to the block being built. Nothing changes when it is refused; only nonce and fee
  // when its call fails.
  Submission submit(ByteSpan extrinsic);
  // Closes the block being built, begins the next one, and returns it. Hashing the state takes time
  // linear in it.
  Block produce_block(bool with_state_hash);
  // Replays a block made elsewhere. REQUIRES: nothing was submitted since the last block. Errors:
  // kConflict (it doesn't follow, has an extrinsic that is refused, or gives another state), after
  // which this ledger is not to be used.
  [[nodiscard]] Status apply(const Block& block);

  // Of the block being built.
  [[nodiscard]] const State& state() const { return state_; }
  // In the block being built, its step first; produce_block and apply begin anew.
  [[nodiscard]] const Events& events() const { return events_; }
  [[nodiscard]] std::size_t pending_count() const { return pending_.size(); }

  [[nodiscard]] const Genesis& genesis() const { return genesis_; }
  [[nodiscard]] const Hash& genesis_id() const { return genesis_hash_; }
  // Of the last closed block; 0 and the genesis' before the first.
  [[nodiscard]] std::uint64_t block_number() const { return state_.block - 1; }
  [[nodiscard]] const Hash& head() const { return head_; }
  // Of a closed block among the last kBlockHashesKept, or the genesis' for 0.
  [[nodiscard]] std::optional<Hash> hash_of_block(std::uint64_t number) const;

  [[nodiscard]] std::uint32_t nonce_of(const AccountId& account) const;
  // What a signature for this ledger covers. For an immortal era, or one that was born in a block
  // whose hash is kept.
  [[nodiscard]] std::optional<SigningContext> signing_context(const Era& era) const;
  [[nodiscard]] std::uint64_t fee_of(const RuntimeCall& call, std::size_t extrinsic_bytes) const;

 private:
  struct Checked {
    Refusal refusal = Refusal::kNone;
    std::optional<SignedExtrinsic> extrinsic;
    std::uint64_t fee_rao = 0;
  };
  [[nodiscard]] Checked examine(ByteSpan extrinsic) const;
  Ledger(const Genesis& genesis, Snapshot snapshot);
  void begin_block();

  Genesis genesis_;
  Hash genesis_hash_;
  Hash head_;
  State state_;
  Events events_;
  std::vector<Bytes> pending_;
  std::deque<Hash> recent_hashes_;  // the last is head_
};

}  // namespace muster::chain::runtime
