// Emission: a block's TAO into the pools of the subnets that emit, and each subnet's own alpha to
// its participants-to-be.
//
// Source: subtensor: coinbase/{run_coinbase,subnet_emissions}.rs. Thread safety: none; one owner.
#pragma once

#include "chain/runtime/context.h"

namespace muster::chain::runtime {

// One block's. Part of its step.
void emit_block(const Context& context);

// Each emitting subnet's share of the next block's TAO, ascending by netuid. They sum to one but
// for rounding.
[[nodiscard]] std::vector<std::pair<Netuid, U64F64>> emission_shares_of(const State& state);

}  // namespace muster::chain::runtime
