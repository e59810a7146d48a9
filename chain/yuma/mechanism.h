// Mechanisms: up to sixteen Yuma consensuses within one subnet, which share its emission and its
// neurons.
//
// Source: subtensor: subnets/mechanism.rs (get_mechanism_storage_index, split_emissions,
// epoch_with_mechanisms).
// Thread safety: plain values, pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "chain/yuma/epoch.h"

namespace muster::chain {

inline constexpr std::uint16_t kMechanismStride = 4096;
inline constexpr std::uint8_t kMechanismsMax = 16;

// The index under which a mechanism's weights, bonds, updates and incentives are stored; at most
// 65535.
[[nodiscard]] std::uint16_t mechanism_index(std::uint16_t netuid, std::uint8_t mechanism);

// Each mechanism's emission, by `split` in parts of 65535 or evenly without one. What is missing at
// its end counts as zero, what is too much is ignored, and what rounding leaves goes to the first
// mechanism.
[[nodiscard]] std::vector<std::uint64_t> split_emission(
    std::uint64_t emission, std::uint8_t mechanisms,
    const std::optional<std::vector<std::uint16_t>>& split);

// What a subnet stores of an epoch: sums of emissions and stakes, any of the flags, the rest
// averaged by emission. An average's every step is rounded down. Bonds and incentives are each
// mechanism's own; of incentives the first one's part is kept.
// REQUIRES: one emission per output, equal numbers of neurons, at least one output.
[[nodiscard]] EpochOutput combine_mechanisms(std::span<const EpochOutput> outputs,
                                             std::span<const std::uint64_t> emissions,
                                             std::uint64_t emission);

}  // namespace muster::chain
