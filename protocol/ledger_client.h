// LedgerClient: what the nodes need of a ledger, whichever it is: in process, the daemon, or a chain.
//
// Thread safety: one thread. Calls may block for a network round trip.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "base/hash.h"
#include "base/result.h"
#include "base/sign.h"
#include "base/types.h"
#include "protocol/ledger_head.h"

namespace muster::protocol {

struct Neuron {
  Uid uid;
  PublicKey hotkey;
  Role role = Role::kMiner;
  std::uint64_t stake = 0;             // alpha-rao, and root stake by its weight
  std::uint64_t registered_block = 0;
  std::uint64_t last_update = 0;       // block of its last weights
  std::uint16_t incentive = 0;         // share of the miners' emission in the last epoch, of 65535
  std::uint64_t earned = 0;            // alpha-rao on this hotkey: what was paid to it and staked on it
  bool permit = false;                 // its weights count from the next epoch on
  std::uint32_t replaced_after = 0;    // registrations that replace it as things stand; 0: not by the next 16
};

struct Metagraph {
  std::uint64_t block = 0;
  Hash block_hash;
  std::uint32_t tempo = 0;             // blocks per epoch
  std::uint64_t epoch = 0;             // that a commit made now belongs to
  std::uint64_t next_epoch_block = 0;  // 0: none
  std::uint64_t registration_rao = 0;  // what a registration costs now
  std::uint64_t stake_min = 0;         // alpha-rao that weights need
  std::vector<Neuron> neurons;         // ascending by uid
};

// A neuron as rosters have it.
struct Member {
  Uid uid;
  PublicKey hotkey;
  Role role = Role::kMiner;
  std::uint64_t stake = 0;  // rao: what counts of a validator's; see members_of()
  bool operator==(const Member&) const = default;
  template <class Archive>
  void serialize(Archive& archive) { archive(uid, hotkey, role, stake); }
};

// Everybody, as the closed block `block` left them.
struct LedgerView {
  std::uint64_t block = 0;
  Hash block_hash;
  std::vector<Member> members;  // ascending by uid
  template <class Archive>
  void serialize(Archive& archive) { archive(block, block_hash, members); }
};

// Who says that it validates needs a permit for its stake to count. Before the first epoch nobody has one: until some
// validator has, the stake of all counts.
[[nodiscard]] inline std::vector<Member> members_of(const Metagraph& metagraph) {
  const bool has_permits = std::ranges::any_of(metagraph.neurons, [](const Neuron& neuron) {
    return neuron.role == Role::kValidator && neuron.permit;
  });
  std::vector<Member> members;
  for (const Neuron& neuron : metagraph.neurons) {
    const bool counts = neuron.role != Role::kValidator || neuron.permit || !has_permits;
    members.push_back({neuron.uid, neuron.hotkey, neuron.role, counts ? neuron.stake : 0});
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
  // As a closed block left the members, the newest for none. Errors: also the ledger's, that it no longer has the block's.
  [[nodiscard]] virtual Result<LedgerView> members_at(std::optional<std::uint64_t> block) = 0;

  // The newest head that this client knows; none: it follows no ledger that signs heads.
  [[nodiscard]] virtual std::optional<LedgerHead> newest_head() const { return std::nullopt; }
  // Another node's newest head. Errors: kBadSignature (not of the ledger's key), kConflict (of another history than this
  // client's, with both heads).
  [[nodiscard]] virtual Status compare(const LedgerHead& /*other*/) { return {}; }

  // Submitted under this client's hotkey; in force from the next block on. Errors: the ledger's reason.
  // Nothing is left to do when it is registered in this role already.
  [[nodiscard]] virtual Status register_neuron(Role role) = 0;
  [[nodiscard]] virtual Status add_stake(std::uint64_t rao) = 0;
  // Commits to weights that reveal_weights shows in the next epoch: nobody can copy them in time.
  [[nodiscard]] virtual Status commit_weights(const WeightVector& vector) = 0;
  [[nodiscard]] virtual Status reveal_weights(const WeightVector& vector) = 0;
};

using ValidatorStakes = std::map<PublicKey, std::uint64_t>;  // rao

[[nodiscard]] inline ValidatorStakes validator_stakes(const Metagraph& metagraph) {
  ValidatorStakes stakes;
  for (const Member& member : members_of(metagraph))
    if (member.role == Role::kValidator) stakes[member.hotkey] = member.stake;
  return stakes;
}

}  // namespace muster::protocol
