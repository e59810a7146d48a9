// Networks: subnets come, start and go; hotkeys register on them.
//
// A new subnet costs a lock that becomes its pool; at the limit it takes the place of the one with
// the lowest moving price, whose TAO is paid to its alpha holders. Source: subtensor:
// subnets/{subnet,registration}.rs, coinbase/root.rs, staking/remove_stake.rs
// (destroy_alpha_in_out_stakes). Thread safety: none; one owner.
#pragma once

#include "chain/codec/call.h"
#include "chain/runtime/context.h"

namespace muster::chain::runtime {

// What the next subnet costs, in rao.
[[nodiscard]] std::uint64_t network_lock_cost(const State& state);
// Whose place it would take now; nothing below the limit or when all are immune.
[[nodiscard]] std::optional<Netuid> network_to_prune(const State& state);

[[nodiscard]] Outcome register_network(const Context& context, const AccountId& signer,
                                       const AccountId& hotkey);
[[nodiscard]] Outcome start_call(const Context& context, const AccountId& signer, Netuid netuid);
// Ends a subnet: pays out its pool, forgets all that was its. REQUIRES: it exists and isn't root.
void dissolve_network(const Context& context, Netuid netuid);

// By paying the burn, of at most `limit_rao` where there is a limit.
[[nodiscard]] Outcome register_neuron(const Context& context, const AccountId& signer,
                                      Netuid netuid, const AccountId& hotkey,
                                      std::optional<std::uint64_t> limit_rao);
// A seat on root: free while there are any, else that of the smallest stake.
[[nodiscard]] Outcome root_register(const Context& context, const AccountId& signer,
                                    const AccountId& hotkey);

// A subnet as it is before its neurons: parameters as given, burn decay cached, root's for netuid
// 0.
[[nodiscard]] Subnet new_subnet(std::uint64_t block, Netuid netuid,
                                const SubnetParameters& parameters);

}  // namespace muster::chain::runtime
