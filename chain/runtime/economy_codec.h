// SCALE encodings of the economy's own types, which don't know of any.
//
// Thread safety: pure functions.
#pragma once

#include "chain/codec/scale.h"
#include "chain/economy/share_pool.h"
#include "chain/fixed/sparse.h"

namespace muster::chain {

inline void scale_fields(const SafeFloat& value, ScaleWriter& codec) {
  codec(value.mantissa(), static_cast<std::uint64_t>(value.exponent()));
}
inline void scale_fields(SafeFloat& value, ScaleReader& codec) {
  Uint128 mantissa = 0;
  std::uint64_t exponent = 0;
  codec(mantissa, exponent);
  const auto parsed = SafeFloat::from_parts(mantissa, static_cast<std::int64_t>(exponent));
  if (!parsed) codec.fail(ScaleFault::kUnknownTag);
  value = parsed.value_or(SafeFloat());
}

void scale_fields(
    auto& pool, auto& codec) requires std::same_as<std::remove_cvref_t<decltype(pool)>, SharePool> {
  codec(pool.total, pool.denominator);
}

void scale_fields(auto& entry, auto& codec) requires
    std::same_as<std::remove_cvref_t<decltype(entry)>, SparseEntry<std::uint16_t>> {
  codec(entry.column, entry.value);
}

}  // namespace muster::chain
