// How a block's TAO is divided among subnets: by moving price, less what each withholds from its
// miners.
//
// Source: subtensor: coinbase/subnet_emissions.rs (get_shares, get_subnet_block_emissions); the
// gate of chain/economy/emission_gate.h, in runtimes that have one, stands between the two steps
// here.
// Thread safety: plain values, pure functions.
#pragma once

#include <span>
#include <vector>

#include "chain/fixed/fixed.h"

namespace muster::chain {

// A subnet that emits: not the root, started, open for registration, its alpha enabled.
struct SubnetDemand {
  U64F64 moving_price;
  U96F32 miner_burned;  // the part of its last incentives that went to owners' hotkeys
  bool emission_enabled = true;
};

// Shares of price * (1 - burned), or of price alone where all of these are zero. They sum to one
// but for rounding.
[[nodiscard]] std::vector<U64F64> emission_shares(std::span<const SubnetDemand> subnets);

// `shares` with those of disabled subnets given to the enabled ones pro rata; unchanged where none
// is disabled.
// REQUIRES: one share per subnet.
[[nodiscard]] std::vector<U64F64> enabled_shares(std::span<const U64F64> shares,
                                                 std::span<const SubnetDemand> subnets);

// The TAO for a share.
[[nodiscard]] U96F32 emission_for_share(U96F32 block_emission, U64F64 share);

// Whether validators' root alpha is paid out rather than recycled: the moving prices sum to more
// than one.
[[nodiscard]] bool root_alpha_is_paid(std::span<const U64F64> moving_prices);

}  // namespace muster::chain
