// Dense vectors of fixed-point numbers: normalising, selecting the largest, scaling to u16.
//
// Sums wrap and divisions by zero give zero, as in chain/fixed/fixed.h; no function fails.
// Source: subtensor: epoch/math.rs. Thread safety: pure functions; spans are borrowed for the call.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "chain/fixed/fixed.h"

namespace muster::chain {

// Divides by the sum, unless that is zero.
void normalize(std::span<I32F32> values);
void normalize(std::span<I64F64> values);
// Divides by `sum`, unless that is zero.
void normalize_by(std::span<I32F32> values, I32F32 sum);

[[nodiscard]] bool sums_to_zero(std::span<const I32F32> values);

// Which values are among the `count` largest; of equal ones those with a lower index lose.
[[nodiscard]] std::vector<bool> is_among_largest(std::span<const I32F32> values, std::size_t count);
// The same, but zero never is.
[[nodiscard]] std::vector<bool> is_among_largest_nonzero(std::span<const I32F32> values,
                                                         std::size_t count);

// Scaled so that the largest becomes 65535, rounded.
[[nodiscard]] std::vector<std::uint16_t> upscaled_to_u16(std::span<const I32F32> values);
[[nodiscard]] std::vector<std::uint16_t> upscaled_to_u16(std::span<const std::uint16_t> values);

// Whether the largest share of the normalised values is at most limit / 65535. True for an empty
// list.
[[nodiscard]] bool largest_share_within(std::span<const std::uint16_t> values, std::uint16_t limit);

// Zeroes what `mask` marks; past its end everything counts as marked, but an empty mask marks
// nothing.
void mask_values(const std::vector<bool>& mask, std::span<I32F32> values);

// Element by element; a product that overflows is zero. As long as the shorter one.
[[nodiscard]] std::vector<I32F32> products(std::span<const I32F32> a, std::span<const I32F32> b);

}  // namespace muster::chain
