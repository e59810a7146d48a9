// The pool's powers in 128 bits: the digits that pow_ratio_scaled gives, some 300 times as fast.
//
// Why: pools whose weights are not exactly equal need such a power for every swap and every limit
// that a swap stops at, and every block swaps.
// How: a logarithm and an exponential with a bound on their error. Where the two ends of that error
// give the same digits, those are also the digits of any more exact computation; where not, once in
// some 10^11 times, there is no answer here.
// Thread safety: pure function. Determinism: integers only.
#pragma once

#include <cstdint>
#include <optional>

#include "chain/fixed/int128.h"

namespace muster::chain {

struct QuickPower {
  Uint128 numerator = 0;  // of the base
  Uint128 denominator = 1;
  std::uint64_t power = 1;   // the exponent's numerator
  std::uint64_t degree = 1;  // and its denominator
};

// floor(scale * (numerator / denominator)^(power / degree)), for a base within 1/1024..1024, an
// exponent below 99 and a power within e^-32..e^2; nothing otherwise and where it cannot tell.
// REQUIRES: scale <= 10^18.
[[nodiscard]] std::optional<std::uint64_t> quick_power(const QuickPower& what, std::uint64_t scale);

}  // namespace muster::chain
