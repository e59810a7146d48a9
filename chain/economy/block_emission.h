// What a block mints: one TAO, halved each time that half of the remaining supply is out.
//
// The same curve gives each subnet's alpha from that subnet's own issuance. It follows issuance,
// not time: what is recycled leaves the issuance and delays the next halving.
// Source: subtensor: coinbase/block_emission.rs. Thread safety: pure functions.
#pragma once

#include <cstdint>

namespace muster::chain {

inline constexpr std::uint64_t kIssuanceMax = 21'000'000'000'000'000;  // rao
inline constexpr std::uint64_t kFirstBlockEmission = 1'000'000'000;
inline constexpr std::uint64_t kBlocksPerDay = 7200;  // of 12 seconds

// The least issuance at which emission has been halved `halvings` times.
[[nodiscard]] constexpr std::uint64_t issuance_at_halving(int halvings) {
  return kIssuanceMax - (kIssuanceMax >> halvings);
}

// The emission of the block that finds this issuance; zero from 30 halvings on.
[[nodiscard]] constexpr std::uint64_t block_emission(std::uint64_t issuance) {
  if (issuance >= kIssuanceMax) return 0;
  // The source takes floor(log2(1 / (1 - issuance / max))) with 32 fraction bits. That equals
  // counting the thresholds: with f = floor(issuance * 2^32 / max), 2^32 - f <= 2^(32-k) if and
  // only if max - issuance <= floor(max / 2^k), and the roundings of the inverse and of the
  // logarithm's halvings stay below the next power of two.
  const std::uint64_t remaining = kIssuanceMax - issuance;
  int halvings = 0;
  while (halvings < 32 && remaining <= kIssuanceMax >> (halvings + 1)) ++halvings;
  return kFirstBlockEmission >> halvings;
}

}  // namespace muster::chain
