// prefetch: asks for memory before it is needed, where the processor cannot foresee it. Thread
// safety: pure.
#pragma once

#include <cstddef>
#include <span>

namespace muster {

// Brings `values` into the cache, to be written. No effect on results; any address is fine.
template <class T>
void prefetch(std::span<const T> values) {
  constexpr std::size_t kLine = 64 / sizeof(T);
  for (std::size_t i = 0; i < values.size(); i += kLine) __builtin_prefetch(&values[i], 1);
}

}  // namespace muster
