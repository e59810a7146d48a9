// File descriptors of this process: how many it may have, and whether there are enough to begin.
//
// Thread safety: all functions; the limit is the process's.
#pragma once

#include <cstdint>

#include "base/result.h"

namespace muster {

// Raises this process's limit as far as it may go without privileges. Returns the limit in effect.
std::uint64_t raise_descriptor_limit();

// The limit in effect.
[[nodiscard]] std::uint64_t descriptor_limit();

// Errors: kNoDescriptors when fewer than `wanted` descriptors are free, with the command that
// allows more.
[[nodiscard]] Status need_descriptors(int wanted);

}  // namespace muster
