#include "chain/codec/blake2b.h"

#include <sodium.h>

namespace muster::chain {
namespace {

template <std::size_t kCount>
std::array<std::uint8_t, kCount> hash(ByteSpan bytes) {
  std::array<std::uint8_t, kCount> out{};
  MUSTER_CHECK(crypto_generichash_blake2b(out.data(), out.size(), bytes.data(), bytes.size(),
                                          nullptr, 0) == 0,
               "BLAKE2b");
  return out;
}

}  // namespace

std::array<std::uint8_t, 16> blake2b_128(ByteSpan bytes) { return hash<16>(bytes); }
Hash blake2b_256(ByteSpan bytes) { return Hash{hash<32>(bytes)}; }
std::array<std::uint8_t, 64> blake2b_512(ByteSpan bytes) { return hash<64>(bytes); }

}  // namespace muster::chain
