// What ranks made of a round, to compare: their segments as one dense update, and how alike two of these are.
#pragma once

#include <cmath>
#include <span>
#include <vector>

#include "compression/payload.h"

namespace muster::trainer {

// `segments`: each rank's, in the ranks' order.
inline std::vector<float> dense_update(const compression::Layout& layout, const compression::PayloadFormat& format,
                                       const std::vector<std::vector<Bytes>>& segments) {
  compression::Payload payload{format, {}};
  for (const auto& of_rank : segments) payload.segments.insert(payload.segments.end(), of_rank.begin(), of_rank.end());
  const auto update = compression::decode(layout, payload).value();
  std::vector<float> values(layout.parameters());
  for (std::size_t i = 0; i < update.indices.size(); ++i) values[update.indices[i]] = update.values[i];
  return values;
}

inline double cosine(std::span<const float> a, std::span<const float> b) {
  double ab = 0, aa = 0, bb = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    ab += static_cast<double>(a[i]) * static_cast<double>(b[i]);
    aa += static_cast<double>(a[i]) * static_cast<double>(a[i]);
    bb += static_cast<double>(b[i]) * static_cast<double>(b[i]);
  }
  return ab / std::sqrt(aa * bb);
}

}  // namespace muster::trainer
