// BLAKE2b of 16, 32 and 64 bytes (RFC 7693), Substrate's hash, from libsodium.
//
// Thread safety: pure functions.
#pragma once

#include <array>
#include <cstdint>

#include "base/bytes.h"
#include "base/hash.h"

namespace muster::chain {

[[nodiscard]] std::array<std::uint8_t, 16> blake2b_128(ByteSpan bytes);
[[nodiscard]] Hash blake2b_256(ByteSpan bytes);
[[nodiscard]] std::array<std::uint8_t, 64> blake2b_512(ByteSpan bytes);

}  // namespace muster::chain
