#include "state/state_root.h"

#include <vector>

namespace muster::state {

Hash parameters_root(const compression::Layout& layout, std::span<const float> parameters) {
  MUSTER_CHECK(parameters.size() == layout.parameters(), "parameters of another layout");
  std::vector<Hash> leaves;
  for (std::uint32_t s = 0; s < layout.segment_count(); ++s) {
    const auto& segment = layout.segment(s);
    leaves.push_back(merkle_leaf(bytes_of(parameters.subspan(segment.offset, segment.elements))));
  }
  return merkle_root(leaves);
}

Hash state_root(const Hash& theta_root, const Hash& downlink_root) {
  return tagged_hash("muster/state-root", {theta_root.bytes, downlink_root.bytes});
}

Hash initial_state_id(const Hash& run_id, const Hash& theta_root) {
  return tagged_hash("muster/state-0", {run_id.bytes, theta_root.bytes});
}

Hash next_state_id(const Hash& state_id, const Hash& aggregate_id) {
  return tagged_hash("muster/state", {state_id.bytes, aggregate_id.bytes});
}

}  // namespace muster::state
