#include "chain/codec/twox.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace muster::chain {

std::array<std::uint8_t, 8> twox64(ByteSpan bytes) {
  const std::uint64_t word = XXH64(bytes.data(), bytes.size(), 0);
  std::array<std::uint8_t, 8> out{};
  std::memcpy(out.data(), &word, sizeof(word));
  return out;
}

std::array<std::uint8_t, 16> twox128(ByteSpan bytes) {
  const std::array<std::uint64_t, 2> words{XXH64(bytes.data(), bytes.size(), 0),
                                           XXH64(bytes.data(), bytes.size(), 1)};
  std::array<std::uint8_t, 16> out{};
  std::memcpy(out.data(), words.data(), sizeof(words));
  return out;
}

}  // namespace muster::chain
