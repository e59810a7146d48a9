// What can be wrong with a card, its driver or its memory: one sentence each, and the mend. Plain
// functions, so that the sentences are tested on machines without a card. Thread safety: pure
// functions.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/result.h"

namespace muster::gpu {

// The oldest cards that the kernels are built for (Ampere); newer ones than Hopper compile them at
// start.
inline constexpr int kOldestCapabilityMajor = 8;

// kNotFound. `driver` 0: none is installed.
[[nodiscard]] Error no_card(int driver);
// kVersion. Versions are those of CUDA: 1000 · major + 10 · minor.
[[nodiscard]] Error driver_too_old(int driver, int needed);
[[nodiscard]] Error card_too_old(std::string_view name, int major, int minor);
// kNotFound.
[[nodiscard]] Error no_such_card(int index, int count);
// kTooLarge.
[[nodiscard]] Error too_little_memory(std::string_view card, std::uint64_t needed_bytes,
                                      std::uint64_t free_bytes);

// "13.0"
[[nodiscard]] std::string version_text(int version);

}  // namespace muster::gpu
