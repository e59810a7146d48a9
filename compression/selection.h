// Selection: what was kept of every block, chosen and quantised elsewhere than on this CPU, in the
// form that a card hands out; and the payload that it makes.
//
// An entry is 16 bits: index within the block (12), class of its level (3), sign (1).
// Thread safety: borrowed values, pure functions.
#pragma once

#include <cstdint>
#include <span>

#include "compression/payload.h"

namespace muster::compression {

[[nodiscard]] constexpr std::uint16_t pack_entry(std::uint32_t index, std::uint32_t level_class,
                                                 bool negative) {
  return static_cast<std::uint16_t>(index | level_class << 12 | std::uint32_t{negative} << 15);
}
[[nodiscard]] constexpr std::uint16_t index_of(std::uint16_t entry) { return entry & 0xfff; }
[[nodiscard]] constexpr std::uint8_t class_of(std::uint16_t entry) { return entry >> 12 & 7; }
[[nodiscard]] constexpr bool is_negative(std::uint16_t entry) { return entry >> 15 != 0; }

// Of one part. Each span is empty where the format has no such part.
struct SelectedPart {
  std::span<const std::uint16_t> counts;  // of each block, or kNotFiniteBlock
  std::span<const std::uint16_t> levels;  // of each block: 2^level_bits, as quantise() gives them
  std::span<const std::uint16_t>
      entries;  // of each block: room for the part's keep, ascending indices
};

struct Selection {
  PayloadFormat format;  // one with levels
  SelectedPart fresh, memory;
};

// The count of a block with a NaN or an infinity; its first entry is then the place of the first of
// them.
inline constexpr std::uint16_t kNotFiniteBlock = 0xffff;

// The same bytes as compress() of what was selected from.
// Errors: kNonFinite. REQUIRES: a selection of this layout.
[[nodiscard]] Result<Payload> payload_of(const Layout& layout, const Selection& selection,
                                         unsigned threads = 1);

// Appends what ErrorFeedback::State has of a pending selection. Originals lie where the part's
// entries lie. REQUIRES: a selection of this layout, all of it finite.
void append_originals(const Layout& layout, const Selection& selection,
                      std::span<const float> of_fresh, std::span<const float> of_memory,
                      std::vector<std::uint64_t>& indices, std::vector<float>& originals);

}  // namespace muster::compression
