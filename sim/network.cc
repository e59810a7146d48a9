#include "sim/network.h"

namespace muster::sim {

void Network::transmit(NodeId from, NodeId to, std::function<void()> deliver) {
  if (isolated_.contains(from) || isolated_.contains(to)) return;
  if (random_.chance(faults_.loss)) return;
  const int copies = random_.chance(faults_.duplication) ? 2 : 1;
  for (int copy = 0; copy < copies; ++copy) {
    const auto spread = static_cast<std::uint64_t>(faults_.delay_max_ms - faults_.delay_min_ms + 1);
    events_.after(faults_.delay_min_ms + static_cast<TimeMs>(random_.below(spread)), deliver);
  }
}

}  // namespace muster::sim
