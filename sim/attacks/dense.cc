#include "sim/attacks/dense.h"

#include <cmath>

namespace muster::sim {

std::vector<float> to_dense(const compression::Layout& layout,
                            const compression::SparseUpdate& update) {
  std::vector<float> dense(layout.parameters(), 0.0f);
  for (std::size_t i = 0; i < update.indices.size(); ++i)
    dense[update.indices[i]] = update.values[i];
  return dense;
}

std::vector<float> to_dense(const compression::Layout& layout,
                            const compression::Payload& payload) {
  return to_dense(layout, compression::decode(layout, payload).value());
}

float typical_magnitude(const compression::SparseUpdate& update) {
  if (update.values.empty()) return 1e-3f;
  double sum = 0;
  for (float value : update.values) sum += std::abs(value);
  return static_cast<float>(sum / static_cast<double>(update.values.size()));
}

}  // namespace muster::sim
