#include "chain/codec/drand.h"

namespace muster::chain {

std::optional<std::uint64_t> drand_round_at(std::uint64_t unix_seconds) {
  if (unix_seconds < kDrandGenesisSeconds) return std::nullopt;
  return (unix_seconds - kDrandGenesisSeconds) / kDrandPeriodSeconds + 1;
}

std::uint64_t drand_time_of(std::uint64_t round) {
  MUSTER_CHECK(round >= 1, "drand's first round is 1");
  return kDrandGenesisSeconds + (round - 1) * kDrandPeriodSeconds;
}

Hash drand_identity(std::uint64_t round) {
  std::array<std::uint8_t, 8> big_endian{};
  for (std::size_t i = 0; i < 8; ++i)
    big_endian[i] = static_cast<std::uint8_t>(round >> (56 - 8 * i));
  return sha256(big_endian);
}

}  // namespace muster::chain
