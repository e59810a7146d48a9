// A payload as a flat array, to forge with. Thread safety: pure functions.
#pragma once

#include <vector>

#include "compression/payload.h"

namespace muster::sim {

[[nodiscard]] std::vector<float> to_dense(const compression::Layout& layout,
                                          const compression::SparseUpdate& update);
[[nodiscard]] std::vector<float> to_dense(const compression::Layout& layout,
                                          const compression::Payload& payload);
// Mean magnitude of what is kept; 1e-3 of nothing.
[[nodiscard]] float typical_magnitude(const compression::SparseUpdate& update);

}  // namespace muster::sim
