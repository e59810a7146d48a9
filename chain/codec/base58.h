// Base58 with Bitcoin's alphabet: SS58 addresses and nothing else.
//
// Quadratic in the length, so inputs are bounded. Thread safety: pure functions.
#pragma once

#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"

namespace muster::chain {

inline constexpr std::size_t kBase58CharactersMax = 128;

// REQUIRES: at most 64 bytes.
[[nodiscard]] std::string base58_encode(ByteSpan bytes);
// Errors: kTooLarge (over kBase58CharactersMax), kMalformed (a character outside the alphabet).
[[nodiscard]] Result<Bytes> base58_decode(std::string_view text);

}  // namespace muster::chain
