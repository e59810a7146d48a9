// AttentionShape: how queries, keys and values of a batch lie in memory. Thread safety: value.
#pragma once

#include <cstddef>

namespace muster::gpu {

// Rows of q, k and v stand side by side, `row` numbers from one token to the next: `heads` query
// heads, then `kv_heads` of keys and as many of values, each `head_width` wide. Outputs have heads
// · head_width to a token.
struct AttentionShape {
  std::size_t sequences = 0, length = 0, heads = 0, kv_heads = 0, head_width = 0;
  constexpr std::size_t row() const { return (heads + 2 * kv_heads) * head_width; }
  constexpr std::size_t out_row() const { return heads * head_width; }
  constexpr std::size_t keys() const { return heads * head_width; }
  constexpr std::size_t values() const { return (heads + kv_heads) * head_width; }
  constexpr std::size_t queries_per_key() const { return heads / kv_heads; }
};

}  // namespace muster::gpu
