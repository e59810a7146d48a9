// Payout: a subnet's epoch, and whom the alpha that waited for it goes to.
//
// Incentives go to miners' owners (the subnet owner's own are burned or recycled), dividends
// through children to parents and by root and alpha stake to stakers, the cut to the owner. Source:
// subtensor: coinbase/run_coinbase.rs, epoch/run_epoch.rs, subnets/mechanism.rs. Thread safety:
// none; one owner.
#pragma once

#include "chain/runtime/context.h"
#include "chain/yuma/epoch.h"

namespace muster::chain::runtime {

// What a subnet's epoch divides, in alpha-rao.
struct PendingAlpha {
  std::uint64_t server = 0, validator = 0, root = 0, owner = 0;
};
// Runs the epoch of every mechanism and pays. REQUIRES: the subnet exists and isn't root.
void pay_epoch(const Context& context, Netuid netuid, const PendingAlpha& pending);

// What an epoch of that mechanism would be computed from now.
[[nodiscard]] EpochInput epoch_input_of(const State& state, Netuid netuid, MechanismId mechanism,
                                        std::uint64_t emission);

}  // namespace muster::chain::runtime
