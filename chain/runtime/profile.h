// Profile: what a key tells others of itself: where it serves, what it takes, what it commits to.
//
// Source: subtensor: subnets/serving.rs, staking/{increase,decrease}_take.rs, pallets/commitments.
// Thread safety: none; one owner.
#pragma once

#include "chain/codec/call.h"
#include "chain/runtime/context.h"

namespace muster::chain::runtime {

// Whether the axon may be served now. Errors: upstream's, in upstream's order.
[[nodiscard]] Outcome check_axon(const State& state, const AccountId& signer,
                                 const ServeAxon& call);
[[nodiscard]] Outcome serve_axon(const Context& context, const AccountId& signer,
                                 const ServeAxon& call);
[[nodiscard]] Outcome increase_take(const Context& context, const AccountId& signer,
                                    const IncreaseTake& call);
[[nodiscard]] Outcome decrease_take(const Context& context, const AccountId& signer,
                                    const DecreaseTake& call);
[[nodiscard]] Outcome set_commitment(const Context& context, const AccountId& signer,
                                     const SetCommitment& call);
[[nodiscard]] Outcome set_auto_stake_hotkey(const Context& context, const AccountId& signer,
                                            const SetAutoStakeHotkey& call);

}  // namespace muster::chain::runtime
