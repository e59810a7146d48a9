// Benchmarks run at full size by hand and at small size under ctest.
#pragma once

#include <cstdint>
#include <cstdlib>

namespace muster::bench {

[[nodiscard]] inline bool small() { return std::getenv("MUSTER_BENCH_SMALL") != nullptr; }
[[nodiscard]] inline std::uint64_t blocks() { return small() ? 16 : 16384; }

}  // namespace muster::bench
