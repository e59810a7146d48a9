// Children: hotkeys that lend their stake to others, which then validate with it, and give the
// dividends back but for a take.
//
// Changes wait for a cooldown and an epoch, but for subnets that haven't started. Source:
// subtensor: staking/set_children.rs. Thread safety: none; one owner.
#pragma once

#include "chain/codec/call.h"
#include "chain/runtime/context.h"

namespace muster::chain::runtime {

[[nodiscard]] Outcome set_children(const Context& context, const AccountId& signer,
                                   const SetChildren& call);
[[nodiscard]] Outcome set_childkey_take(const Context& context, const AccountId& signer,
                                        const SetChildkeyTake& call);
[[nodiscard]] Outcome set_auto_parent_delegation(const Context& context, const AccountId& signer,
                                                 const SetAutoParentDelegation& call);

// Applies the plans whose cooldown is over, after an epoch.
void apply_pending_children(const Context& context, Subnet& subnet);
// Root validators that didn't opt out become parents of a new subnet's owner hotkey.
void adopt_by_root_validators(const Context& context, Netuid netuid);

// A child's take, of 65535.
[[nodiscard]] std::uint16_t childkey_take_of(const State& state, const Subnet& subnet,
                                             const AccountId& hotkey);
[[nodiscard]] const Relations& children_of(const Subnet& subnet, const AccountId& hotkey);
[[nodiscard]] const Relations& parents_of(const Subnet& subnet, const AccountId& hotkey);

}  // namespace muster::chain::runtime
