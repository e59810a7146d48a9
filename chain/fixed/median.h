// The stake-weighted median that Yuma consensus takes of every column of weights.
//
// Source: subtensor: epoch/math.rs (weighted_median, weighted_median_col_sparse).
// Thread safety: pure functions; spans are borrowed for the call. Cost: linear in the expected
// case, n log n usually bounds it; at most n rounds over what is left.
#pragma once

#include <span>
#include <vector>

#include "chain/fixed/sparse.h"

namespace muster::chain {

// The score at which the stake below exceeds `minority`: quickselect with the middle entry as its
// pivot. A tie between lower and upper stake goes up. Zero for an empty list or lists of different
// length. `total` is the sum of stakes.
[[nodiscard]] I32F32 weighted_median(std::span<const I32F32> stakes, std::span<const I32F32> scores,
                                     I32F32 minority, I32F32 total);

// The median of each column over the rows with positive stake, those stakes normalised; what a row
// has no entry for scores zero. minority = their sum - majority.
[[nodiscard]] std::vector<I32F32> column_medians(std::span<const I32F32> stakes,
                                                 const SparseMatrix& scores, std::size_t columns,
                                                 I32F32 majority);

}  // namespace muster::chain
