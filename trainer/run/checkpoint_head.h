// The head of a checkpoint as bytes. Counts and lengths are bounded before anything is allocated.
// Thread safety: pure functions.
#pragma once

#include "base/bytes.h"
#include "trainer/run/checkpoint_file.h"

namespace muster::trainer {

// The most that a head may take: 1024 settings and arrays of short names, and the guard's window.
inline constexpr std::size_t kHeadBytesMax = 16u << 20;

[[nodiscard]] Bytes encode_head(const CheckpointHead& head);
// Errors: kMalformed (not what encode_head writes).
[[nodiscard]] Result<CheckpointHead> decode_head(ByteSpan bytes);

}  // namespace muster::trainer
