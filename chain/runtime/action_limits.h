// How often one may do what on a subnet.
//
// Source: subtensor: utils/rate_limiting.rs. Thread safety: none; one owner.
#pragma once

#include "chain/runtime/context.h"

namespace muster::chain::runtime {

// Whether enough blocks have passed since `key` last did it; the first time is always allowed.
[[nodiscard]] bool may_act(const Context& context, const Subnet& subnet, const AccountId& key,
                           LimitedAction action);
void note_action(const Context& context, Subnet& subnet, const AccountId& key,
                 LimitedAction action);

}  // namespace muster::chain::runtime
