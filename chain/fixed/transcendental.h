// exp, log2, ln and powers of fixed-point numbers: the series and loops that every ledger must
// follow bit for bit.
//
// None of them is correctly rounded; that is the rule, not a defect.
// Source: substrate-fixed 0.6.0 (transcendental.rs); subtensor: epoch/math.rs,
// coinbase/subnet_emissions.rs.
// Thread safety: pure functions.
#pragma once

#include <optional>

#include "chain/fixed/fixed.h"

namespace muster::chain {

// e^x by 31 terms of the Taylor series of |x|, inverted for a negative x; nothing on overflow.
[[nodiscard]] std::optional<I32F32> checked_exp(I32F32 x);

// e^x with x clamped to -20..20; never fails.
[[nodiscard]] I32F32 exp_safe(I32F32 x);

// The base-2 logarithm, digit by digit; nothing for x <= 0 or where 1/x overflows.
template <class F>
[[nodiscard]] std::optional<F> checked_log2(F x);

// log2(x) / log2(e), with log2(e) cut to 23 fraction bits; nothing where log2 has nothing.
[[nodiscard]] std::optional<I32F32> checked_ln(I32F32 x);

// base^exponent through ln and exp in I32F32: 0 where ln(base) has no value, 2^31 - 1 where exp
// overflows.
[[nodiscard]] U64F64 pow_safe(U64F64 base, U64F64 exponent);

// 1 / (1 + e^(-rho (x - kappa))).
[[nodiscard]] I32F32 sigmoid_safe(I32F32 x, I32F32 rho, I32F32 kappa);

extern template std::optional<I32F32> checked_log2(I32F32);
extern template std::optional<I96F32> checked_log2(I96F32);

}  // namespace muster::chain
