#include "chain/economy/share_pool.h"

namespace muster::chain {
namespace {

std::uint64_t size_of(std::int64_t change) {
  return change < 0 ? std::uint64_t{0} - static_cast<std::uint64_t>(change)
                    : static_cast<std::uint64_t>(change);
}

SafeFloat shares_of(const SharePool& pool, std::int64_t change) {
  return SafeFloat(size_of(change))
      .times_over(pool.denominator, SafeFloat(pool.total))
      .value_or(SafeFloat());
}

}  // namespace

std::uint64_t value_of_share(const SharePool& pool, const SafeFloat& share) {
  return SafeFloat(pool.total).times_over(share, pool.denominator).value_or(SafeFloat()).to_u64();
}

SharePool with_change_for_all(const SharePool& pool, std::int64_t change) {
  SharePool changed = pool;
  const std::uint64_t size = size_of(change);
  if (change < 0) {
    changed.total = pool.total > size ? pool.total - size : 0;
  } else if (__builtin_add_overflow(pool.total, size, &changed.total)) {
    changed.total = UINT64_MAX;
  }
  return changed;
}

HeldShare with_change_for_one(const SharePool& pool, const SafeFloat& share, std::int64_t change) {
  HeldShare held{with_change_for_all(pool, change), share};
  if (pool.denominator.is_zero()) {
    held.share = SafeFloat(size_of(change));
    held.pool.denominator = held.share;
    return held;
  }
  const SafeFloat moved = shares_of(pool, change);
  const auto changed = [&](const SafeFloat& from) {
    return (change > 0 ? from.plus(moved) : from.minus(moved)).value_or(from);
  };
  held.pool.denominator = changed(pool.denominator);
  held.share = changed(share);
  return held;
}

bool change_moves_shares(const SharePool& pool, std::int64_t change) {
  return pool.denominator.is_zero() || !shares_of(pool, change).is_zero();
}

}  // namespace muster::chain
