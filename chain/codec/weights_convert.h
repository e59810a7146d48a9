// Between a validator's real-valued weights and the u16 rows that the ledger takes.
//
// The rules are the SDK's, with its doubles, so that a row made here and one made there are the
// same; the ledger itself computes nothing of this. Source: bittensor: utils/weight_utils.py.
// Thread safety: pure functions.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/result.h"

namespace muster::chain {

struct WeightRow16 {
  std::vector<std::uint16_t> uids;
  std::vector<std::uint16_t> weights;
  bool operator==(const WeightRow16&) const = default;
};

// Each weight relative to the largest, times 65535, rounded half to even; zeros are left out, and
// all-zero weights give an empty row. The SDK's lists hold float32: round each weight to float
// before, for the same bytes. Errors: kInvalidArgument (unequal lengths, or a negative weight),
// kNonFinite.
[[nodiscard]] Result<WeightRow16> weights_to_u16(std::span<const std::uint16_t> uids,
                                                 std::span<const double> weights);

// A row of n weights that sum to 1, or all zero. Errors: kInvalidArgument (lengths, or a uid >= n).
[[nodiscard]] Result<std::vector<double>> weights_from_u16(std::size_t n,
                                                           std::span<const std::uint16_t> uids,
                                                           std::span<const std::uint16_t> weights);

// Weights that sum to 1 with none much over `limit`; all equal when that is impossible or all are
// zero. REQUIRES: not empty, finite, none negative.
[[nodiscard]] std::vector<double> limit_weights(std::span<const double> weights, double limit);

// Parts of 65535 in the given proportions, each floored, and what is left to the last one that is
// not zero; nothing if all are zero. A mechanism's emission split must sum to 65535 exactly.
[[nodiscard]] std::vector<std::uint16_t> split_to_u16(std::span<const std::uint64_t> proportions);

}  // namespace muster::chain
