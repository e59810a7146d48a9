// Weights: set in the open, or committed to by hash and revealed an epoch later.
//
// Timelocked commits are stored and expire: nothing here decrypts, so their weights are never set
// (the event TimelockedExpired says how many). Source: subtensor: subnets/weights.rs,
// coinbase/reveal_commits.rs. Thread safety: none; one owner.
#pragma once

#include "chain/codec/call.h"
#include "chain/runtime/context.h"

namespace muster::chain::runtime {

// Which mechanism of which subnet.
struct MechanismRef {
  Netuid netuid = 0;
  MechanismId mechanism = 0;
};

struct NewWeights {
  std::span<const std::uint16_t> uids;
  std::span<const std::uint16_t> weights;
  std::uint64_t version_key = 0;
};

// The call: only while commit-reveal is off. Errors: upstream's, in upstream's order.
[[nodiscard]] Outcome set_weights(const Context& context, const AccountId& signer,
                                  MechanismRef where, const NewWeights& weights);
[[nodiscard]] Outcome commit_weights(const Context& context, const AccountId& signer,
                                     MechanismRef where, const Hash& hash);
[[nodiscard]] Outcome reveal_weights(const Context& context, const AccountId& signer,
                                     MechanismRef where, const NewWeights& weights,
                                     std::span<const std::uint16_t> salt);
[[nodiscard]] Outcome commit_timelocked_weights(const Context& context, const AccountId& signer,
                                                MechanismRef where, ByteSpan ciphertext,
                                                std::uint64_t reveal_round, std::uint16_t version);

// Drops the timelocked commits whose reveal epoch has passed. Part of a block's step.
void expire_timelocked_commits(const Context& context, Netuid netuid, Subnet& subnet);

// Stake as validators are measured by: own and lent alpha, and root stake by its weight.
[[nodiscard]] std::uint64_t inherited_alpha(const Subnet& subnet, const AccountId& hotkey);
[[nodiscard]] std::uint64_t inherited_root(const State& state, const Subnet& subnet,
                                           const AccountId& hotkey);
// Whether that reaches the threshold, or it is the owner's hotkey.
[[nodiscard]] bool has_stake_for_weights(const State& state, Netuid netuid,
                                         const AccountId& hotkey);
[[nodiscard]] bool is_within_weights_limit(const State& state, const Subnet& subnet,
                                           MechanismId mechanism, std::uint16_t uid);
// What remains of a reveal's checks once it has its commit: its epoch, if there is such a commit.
[[nodiscard]] std::optional<std::uint64_t> epoch_of_commit_hash(const Subnet& subnet,
                                                                MechanismId mechanism,
                                                                const AccountId& hotkey,
                                                                const Hash& hash);

}  // namespace muster::chain::runtime
