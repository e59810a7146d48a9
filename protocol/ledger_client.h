// LedgerClient: what the nodes need of a ledger, whichever it is: in process, the daemon, or a
// chain.
//
// Thread safety: one thread. Calls may block for a network round trip.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <vector>

#include "base/bytes.h"
#include "base/hash.h"
#include "base/result.h"
#include "base/sign.h"
#include "base/types.h"
#include "protocol/ledger_head.h"

namespace muster::protocol {

struct Neuron {
  Uid uid;
  PublicKey hotkey;
  std::uint64_t stake = 0;  // alpha-rao, and root stake by its weight
  std::uint64_t registered_block = 0;
  std::uint64_t last_update = 0;  // block of its last weights
  std::uint16_t incentive = 0;    // share of the miners' emission in the last epoch, of 65535
  std::uint64_t earned = 0;       // alpha-rao on this hotkey: what was paid to it and staked on it
  bool permit = false;   // to validate; epochs give it to the largest stakes, and to the owner
  Bytes committed = {};  // in its commitment slot, if that is one raw field of at most 128 bytes
  std::uint32_t replaced_after =
      0;  // registrations that replace it as things stand; 0: not by the next 16
};

[[nodiscard]] inline bool has_set_weights(const Neuron& neuron) {
  return neuron.last_update > neuron.registered_block;
}

struct Metagraph {
  std::uint64_t block = 0;
  Hash block_hash;
  std::uint32_t tempo = 0;             // blocks per epoch
  std::uint64_t epoch = 0;             // that a commit made now belongs to
  std::uint64_t next_epoch_block = 0;  // 0: none
  std::uint64_t registration_rao = 0;  // what a registration costs now
  std::uint64_t stake_min = 0;         // alpha-rao that validating needs
  std::vector<Neuron> neurons;         // ascending by uid
};

// A neuron as far as rounds depend on it. The ledger knows no roles: what a member does in a round
// is in its Ready.
struct Member {
  Uid uid;
  PublicKey hotkey;
  std::uint64_t stake = 0;    // rao
  bool may_validate = false;  // has a permit, and at least the stake that validating needs
  bool mines = false;         // was paid as a miner in the last epoch, and has never set weights
  bool operator==(const Member&) const = default;
  template <class Archive>
  void serialize(Archive& archive) {
    archive(uid, hotkey, stake, may_validate, mines);
  }
};

// Everybody, as the closed block `block` left them.
struct LedgerView {
  std::uint64_t block = 0;
  Hash block_hash;
  std::vector<Member> members;  // ascending by uid
  std::optional<Signature> signature =
      {};  // the ledger's, of this block; none: it signed a newer one, or signs none
};

// The owner's hotkey has a permit whatever its stake, and stake may have left since the epoch that
// gave a permit.
[[nodiscard]] inline std::vector<Member> members_of(const Metagraph& metagraph) {
  std::vector<Member> members;
  for (const Neuron& neuron : metagraph.neurons) {
    const bool may_validate =
        neuron.permit && neuron.stake > 0 && neuron.stake >= metagraph.stake_min;
    const bool mines = neuron.incentive > 0 && !has_set_weights(neuron);
    members.push_back({neuron.uid, neuron.hotkey, neuron.stake, may_validate, mines});
  }
  return members;
}

// Hides weights until they are shown: the salt makes their commitment unguessable.
struct WeightVector {
  std::vector<Uid> uids;
  std::vector<std::uint16_t> weights;
  Hash salt;
  bool operator==(const WeightVector&) const = default;
};

class LedgerClient {
 public:
  virtual ~LedgerClient() = default;
  [[nodiscard]] virtual Result<Hash> genesis_hash() = 0;
  [[nodiscard]] virtual Result<Metagraph> metagraph() = 0;
  // As a closed block left the members, the newest for none. Errors: also the ledger's, that it no
  // longer has the block's.
  [[nodiscard]] virtual Result<LedgerView> members_at(std::optional<std::uint64_t> block) = 0;

  // The newest head that this client knows; none: it follows no ledger that signs heads.
  [[nodiscard]] virtual std::optional<LedgerHead> newest_head() const { return std::nullopt; }
  // Another node's newest head. Errors: kBadSignature (not of the ledger's key), kConflict (of
  // another history than this client's, with both heads).
  [[nodiscard]] virtual Status compare(const LedgerHead& /*other*/) { return {}; }

  // Submitted under this client's hotkey; in force from the next block on. Errors: the ledger's
  // reason. Does nothing where it has a uid already.
  [[nodiscard]] virtual Status register_neuron() = 0;
  [[nodiscard]] virtual Status add_stake(std::uint64_t rao) = 0;
  // Commits to weights that reveal_weights shows in the next epoch: nobody can copy them in time.
  [[nodiscard]] virtual Status commit_weights(const WeightVector& vector) = 0;
  [[nodiscard]] virtual Status reveal_weights(const WeightVector& vector) = 0;
  // Puts at most 128 bytes into this hotkey's commitment slot.
  [[nodiscard]] virtual Status set_commitment(ByteSpan bytes) = 0;
};

using ValidatorStakes = std::map<PublicKey, std::uint64_t>;  // rao

// Whose attestations count for a node that has seen no round. A miner's permit does not make it a
// validator; whoever has neither set weights nor been paid as a miner counts, since the ledger
// cannot tell.
[[nodiscard]] inline ValidatorStakes validator_stakes(std::span<const Member> members) {
  ValidatorStakes stakes;
  for (const Member& member : members)
    if (member.may_validate && !member.mines) stakes[member.hotkey] = member.stake;
  return stakes;
}

}  // namespace muster::protocol
