// What this machine has at the moment. Thread safety: pure functions but for what they ask.
#pragma once

#include <cstdint>

namespace muster::cli {

// Bytes that programs can take without swapping; 2^62 where the system does not say.
[[nodiscard]] std::uint64_t available_memory();
// At least 1.
[[nodiscard]] unsigned core_count();
// Since any moment, to nanoseconds; and since 1970.
[[nodiscard]] double steady_seconds();
[[nodiscard]] double wall_seconds();

}  // namespace muster::cli
