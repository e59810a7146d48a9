// Owner settings: the hyperparameters that a subnet's owner may set, each so often, and not shortly
// before an epoch.
//
// Upstream lets its root account set them too, without these limits; a ledger of ours has no such
// account. Source: subtensor: pallets/admin-utils, coinbase/tempo_control.rs, subnets/mechanism.rs,
// utils/rate_limiting.rs. Thread safety: none; one owner.
#pragma once

#include "chain/codec/call.h"
#include "chain/runtime/context.h"

namespace muster::chain::runtime {

// REQUIRES: a call of chain/codec/calls_owner.h. Errors: upstream's, in upstream's order.
[[nodiscard]] Outcome apply_owner_call(const Context& context, const AccountId& signer,
                                       const RuntimeCall& call);

}  // namespace muster::chain::runtime
