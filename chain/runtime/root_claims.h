// Root claims: what a validator's stakers on root are owed in the alpha of each subnet, and its
// payment.
//
// A hotkey's rate per rao of root stake grows with every root dividend; what a staker has claimed
// is kept as an amount, so that new stake counts as having claimed all before it. Source:
// subtensor: staking/claim_root.rs. Thread safety: none; one owner.
#pragma once

#include "chain/codec/call.h"
#include "chain/runtime/stakes.h"

namespace muster::chain::runtime {

// Raises the hotkey's rate by `alpha`; without enough root stake behind it the alpha goes to its
// owner's stake.
void add_root_dividend(const Context& context, const AccountId& hotkey, Netuid netuid,
                       std::uint64_t alpha);
// Root stake of that amount came, or goes: it has no claim to what was before.
void claim_nothing_for(const Context& context, const AccountId& hotkey, const AccountId& coldkey,
                       std::uint64_t rao);
void unclaim_nothing_for(const Context& context, const AccountId& hotkey, const AccountId& coldkey,
                         std::uint64_t rao);

// In alpha-rao, rounded down.
[[nodiscard]] std::uint64_t root_owed(const State& state, const AccountId& hotkey,
                                      const AccountId& coldkey, Netuid netuid);

// Pays a coldkey what it is owed by all its hotkeys, of `subnets` or of all. Errors: those of the
// pool.
[[nodiscard]] Outcome claim_root(const Context& context, const AccountId& coldkey,
                                 const std::set<Netuid>* subnets);
// Pays some stakers that the parent block's hash picks, upstream's way of going through all in
// time.
void claim_root_for_some(const Context& context, const Hash& parent);
// A subnet ends: nobody is owed its alpha.
void forget_root_claims(const Context& context, Netuid netuid);

// The call's checks. Errors: kInvalidSubnetNumber; those of claim_root.
[[nodiscard]] Outcome claim_root(const Context& context, const AccountId& signer,
                                 const ClaimRoot& call);
[[nodiscard]] Outcome set_root_claim_type(const Context& context, const AccountId& signer,
                                          const SetRootClaimType& call);

}  // namespace muster::chain::runtime
