// Powers of fractions with rational exponents, scaled to an integer: the formula behind the pool's
// prices.
//
// A small exponent is exact (an integer root); any other goes through a logarithm and an
// exponential series whose cut-off is part of the rule. With a base far from 1 and a large exponent
// that series does not converge, and what it gives then is the rule as well. Source: safe-bigmath
// 0.4.1 (pow_ratio_scaled), as subtensor: pallets/swap uses it.
// Thread safety: pure functions. Cost: one division for equal exponents, else up to a millisecond.
#pragma once

#include <optional>

#include "chain/fixed/big_int.h"

namespace muster::chain {

struct Ratio {
  Uint128 numerator = 0;
  Uint128 denominator = 1;
};

// floor(scale * base^exponent), computed to at least `precision_bits` fraction bits. Nothing for a
// zero denominator.
// REQUIRES: the exponent's two parts are below 2^64.
[[nodiscard]] std::optional<BigInt> pow_ratio_scaled(const Ratio& base, const Ratio& exponent,
                                                     std::uint32_t precision_bits, Uint128 scale);

}  // namespace muster::chain
