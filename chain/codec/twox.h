// twox64 and twox128: XXH64 with the seeds 0 and 1, Substrate's fast hash for storage names.
//
// Not collision-resistant: never used on what a peer chooses. Thread safety: pure functions.
#pragma once

#include <array>
#include <cstdint>

#include "base/bytes.h"

namespace muster::chain {

[[nodiscard]] std::array<std::uint8_t, 8> twox64(ByteSpan bytes);
[[nodiscard]] std::array<std::uint8_t, 16> twox128(ByteSpan bytes);

}  // namespace muster::chain
