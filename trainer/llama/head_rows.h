// How many rows the output head takes at once: what its buffers, and an estimate of them, go by.
//
// Thread safety: pure functions.
#pragma once

#include <algorithm>
#include <cstddef>

namespace muster::trainer {

// Rows whose logits are made together, in fp32: 16 MiB of them stay in the last-level cache of a
// server.
[[nodiscard]] constexpr std::size_t logit_rows(std::size_t vocab, std::size_t count) {
  constexpr std::size_t kNumbers = 4u << 20;
  return std::min(count, std::max<std::size_t>(96, kNumbers / vocab));
}

// Rows whose gradients, of `stored_bytes` a number, are used together.
[[nodiscard]] constexpr std::size_t gradient_rows(std::size_t vocab, std::size_t count,
                                                  std::size_t stored_bytes) {
  constexpr std::size_t kBytes = 96u << 20;
  return std::min(count, std::max<std::size_t>(256, kBytes / stored_bytes / vocab));
}

}  // namespace muster::trainer
