// State ids and roots: the hash chain that orders states, and the Merkle roots that prove them.
//
// Thread safety: pure functions.
#pragma once

#include <span>

#include "base/hash.h"
#include "compression/layout.h"

namespace muster::state {

// Merkle root over the layout's segments of `parameters` as little-endian fp32.
// REQUIRES: layout.parameters() floats.
[[nodiscard]] Hash parameters_root(const compression::Layout& layout,
                                   std::span<const float> parameters);

// The state root: binds θ and the downlink's error feedback.
[[nodiscard]] Hash state_root(const Hash& theta_root, const Hash& downlink_root);

[[nodiscard]] Hash initial_state_id(const Hash& run_id, const Hash& theta_root);
[[nodiscard]] Hash next_state_id(const Hash& state_id, const Hash& aggregate_id);

}  // namespace muster::state
