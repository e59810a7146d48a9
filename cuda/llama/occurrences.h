// Occurrences: where each token of a pass occurs, so that rows of the embedding's gradient are
// summed one after the other, in order. Made by the host while the card is at work.
//
// Thread safety: pure.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace muster::gpu {

struct Occurrences {
  std::vector<std::uint32_t> tokens;  // different ones, ascending
  std::vector<std::uint32_t> ends;    // behind each token's last row
  std::vector<std::uint32_t> rows;    // ascending for each token
};

// Of sequences of `length` tokens that lie length + 1 apart. REQUIRES: tokens below `vocab`.
[[nodiscard]] Occurrences occurrences_of(std::span<const std::int32_t> tokens, std::size_t length,
                                         std::size_t vocab);

}  // namespace muster::gpu
