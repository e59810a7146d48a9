// Drand quicknet's rounds: which one is public when, and by what identity ciphertexts wait for it.
//
// Source: drand quicknet (chain 52db9ba70e0cc0f6eaf7803dd07447a1f5477735fd3f661792ba94600c84e971):
// a round each three seconds from its genesis on. Thread safety: pure functions.
#pragma once

#include <cstdint>
#include <optional>

#include "base/hash.h"

namespace muster::chain {

inline constexpr std::uint64_t kDrandGenesisSeconds = 1'692'803'367;
inline constexpr std::uint64_t kDrandPeriodSeconds = 3;

// The newest round at that Unix time; nothing before the genesis.
[[nodiscard]] std::optional<std::uint64_t> drand_round_at(std::uint64_t unix_seconds);
// When a round becomes public. REQUIRES: round >= 1.
[[nodiscard]] std::uint64_t drand_time_of(std::uint64_t round);
// SHA-256 of the round's number in big-endian.
[[nodiscard]] Hash drand_identity(std::uint64_t round);

}  // namespace muster::chain
