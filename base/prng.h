// Counter-based random numbers: Philox4x32-10 (Salmon, Moraes, Dror and Shaw, "Parallel random
// numbers: as easy as 1, 2, 3", SC 2011). Equal (key, counter) give equal words on every machine.
// Not for secrets: those come from base/sign.h's system_random.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/hash.h"

namespace muster {

// The ten-round Philox4x32 block function.
[[nodiscard]] std::array<std::uint32_t, 4> philox4x32(std::array<std::uint32_t, 4> counter,
                                                      std::array<std::uint32_t, 2> key);

// A stream of words: `stream` selects one of 2^64 independent ones under a seed.
class Prng {
 public:
  explicit Prng(std::uint64_t seed, std::uint64_t stream = 0);
  // Keyed by the first 16 bytes of a hash: 8 for the seed and 8 for the stream.
  explicit Prng(const Hash& key);

  std::uint32_t next_u32();
  std::uint64_t next_u64();
  // Uniform in [0, bound), without modulo bias. REQUIRES: bound > 0.
  std::uint64_t below(std::uint64_t bound);
  // Uniform in [0, 1) with 53 random bits.
  double uniform();
  bool chance(double probability) { return uniform() < probability; }

 private:
  std::array<std::uint32_t, 2> key_;
  std::array<std::uint32_t, 4> counter_;
  std::array<std::uint32_t, 4> words_{};
  std::size_t used_ = 4;
};

// `count` distinct numbers of [0, population) in the order drawn (Floyd's method needs none of the
// population in memory). REQUIRES: count <= population.
[[nodiscard]] std::vector<std::uint64_t> sample_distinct(Prng& random, std::uint64_t population,
                                                         std::size_t count);

}  // namespace muster
