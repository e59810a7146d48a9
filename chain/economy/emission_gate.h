// The emission gate of runtimes from spec 440 on: subnets below a bar get next to nothing.
//
// gate(s) = 1 / (1 + (bar / s)^h). The bar is a property of the shares themselves and is kept for
// 360 blocks.
// Source: subtensor f8ff769a: coinbase/subnet_emissions.rs (maybe_update_emission_gate_bar,
// apply_emission_gate).
// Thread safety: plain values, pure functions.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "chain/fixed/fixed.h"

namespace muster::chain {

inline constexpr std::uint64_t kGateBarInterval = 360;  // blocks

struct GateParameters {
  std::uint16_t rank = 32;  // the bar is the share of this rank; 0 for the quantile
  U64F64 quantile = U64F64::from_bits(
      Uint128{11252513884962826240u});  // 0.61 of the shares are at the bar or above
  U64F64 exponent = fixed_from<U64F64>(3);
};

// The bar for the block: `stored` unless that is zero or an update is due. With fewer positive
// shares than ranks it is the smallest of them; without any, the stored one stays.
[[nodiscard]] U64F64 gate_bar(std::span<const U64F64> shares, const GateParameters& parameters,
                              U64F64 stored, std::uint64_t block);

// Shares after the gate, normalised. Unchanged for a zero bar, and where the gate would leave
// nothing to anyone.
[[nodiscard]] std::vector<U64F64> gated_shares(std::span<const U64F64> shares, U64F64 bar,
                                               U64F64 exponent);

}  // namespace muster::chain
