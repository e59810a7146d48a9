// Share pools: how one total, such as a hotkey's stake, is held by many keys at once.
//
// A key's value is total * share / denominator, so raising the total pays every holder pro rata
// without touching one of them. Source: subtensor: primitives/share-pool (SharePool). Thread
// safety: plain values, pure functions.
#pragma once

#include <cstdint>

#include "chain/fixed/safe_float.h"

namespace muster::chain {

struct SharePool {
  std::uint64_t total = 0;
  SafeFloat denominator;  // the sum of all shares
  friend bool operator==(const SharePool&, const SharePool&) = default;
};

// What `share` is worth, rounded down.
[[nodiscard]] std::uint64_t value_of_share(const SharePool& pool, const SafeFloat& share);

// Changes every holder's value at once; the total stays within 0..2^64 - 1.
[[nodiscard]] SharePool with_change_for_all(const SharePool& pool, std::int64_t change);

struct HeldShare {
  SharePool pool;
  SafeFloat share;
};

// Changes one holder's value. In a pool without shares this holder gets all. A change that is worth
// no share, or an exponent that overflows, leaves the shares as they are while the total still
// changes.
[[nodiscard]] HeldShare with_change_for_one(const SharePool& pool, const SafeFloat& share,
                                            std::int64_t change);

// Whether with_change_for_one(pool, …, change) would move shares.
[[nodiscard]] bool change_moves_shares(const SharePool& pool, std::int64_t change);

}  // namespace muster::chain
