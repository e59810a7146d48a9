// Dispatch: one call of one signer, applied to a state or, when it fails, without a trace.
//
// Thread safety: none; one owner.
#pragma once

#include "chain/codec/call.h"
#include "chain/runtime/event.h"
#include "chain/runtime/refusal.h"
#include "chain/runtime/state.h"

namespace muster::chain::runtime {

// Applies the call, or says why not and leaves state and events as they were. `author` earns the
// pools' fees.
[[nodiscard]] Outcome dispatch(State& state, Events& events, const AccountId& author,
                               const AccountId& signer, const RuntimeCall& call);

// What keeps such a call out of a block: cheap checks before a place in it is given away.
[[nodiscard]] Refusal check_call(const State& state, const AccountId& signer,
                                 const RuntimeCall& call);

// Calls that cost no fee, upstream's and here: weights, axons, takes and commitments.
[[nodiscard]] bool is_free(const RuntimeCall& call);

}  // namespace muster::chain::runtime
