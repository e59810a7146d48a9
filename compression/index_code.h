// Index code: Rice codes of the gaps between ascending indices of a block.
//
// The parameter is fixed by how many of how many are coded, so there is one encoding per set: within
// 0.15 bit of the entropy of a uniform set at the densities in use. All indices cost nothing.
// (Golomb, "Run-length encodings", 1966; Rice, 1979.)
// Thread safety: pure functions.
#pragma once

#include <span>
#include <vector>

#include "base/result.h"
#include "compression/bit_io.h"

namespace muster::compression {

void write_indices(BitWriter& out, std::span<const std::uint32_t> indices, std::uint32_t elements);

// Errors: kMalformed (an index outside the block), kTruncated.
[[nodiscard]] Status read_indices(BitReader& in, std::uint32_t count, std::uint32_t elements,
                                  std::vector<std::uint32_t>& indices);

}  // namespace muster::compression
