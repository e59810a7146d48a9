// Top-k selection within a block: the largest magnitudes, ties to the lower index.
//
// Zeros and denormals are never selected: they carry nothing that a bf16 scale could hold.
// Thread safety: pure functions. Determinism: equal on every machine.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/result.h"

namespace muster::compression {

// Writes the indices of at most `keep` elements of `block` to `selected`, ascending.
// Errors: kNonFinite, with the index within the block.
[[nodiscard]] Status select_top(std::span<const float> block, std::uint32_t keep,
                                std::vector<std::uint32_t>& selected);

}  // namespace muster::compression
