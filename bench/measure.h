// What the benchmarks share: timing and numbers to compress. Thread safety: pure but for the clock.
#pragma once

#include <algorithm>
#include <chrono>
#include <span>

#include "base/prng.h"

namespace muster::bench {

// Of the quickest of `reps` runs.
template <class Work>
double seconds(const Work& work, int reps) {
  double best = 1e30;
  for (int rep = 0; rep < reps; ++rep) {
    const auto start = std::chrono::steady_clock::now();
    work();
    best = std::min(
        best, std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  }
  return best;
}

// Heavy-tailed numbers, as error-feedback buffers hold.
inline void fill_heavy_tailed(std::span<float> values, std::uint64_t seed) {
  Prng random(seed);
  for (float& x : values) {
    const double u = random.uniform() * 2 - 1;
    x = static_cast<float>(u * u * u / (1.05 - u * u));
  }
}

}  // namespace muster::bench
