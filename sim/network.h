// Network: simulated links with loss, delay, reordering, duplication and partitions, all from one
// seed.
//
// Thread safety: none.
#pragma once

#include <functional>
#include <map>
#include <set>

#include "base/bytes.h"
#include "base/prng.h"
#include "sim/event_queue.h"

namespace muster::sim {

struct NetworkFaults {
  double loss = 0;         // share of messages that never arrive
  double duplication = 0;  // share that arrives twice
  TimeMs delay_min_ms = 1;
  TimeMs delay_max_ms = 50;  // delays differ, so messages overtake each other
};

using NodeId = std::uint32_t;

class Network {
 public:
  Network(EventQueue& events, Prng random, const NetworkFaults& faults)
      : events_(events), random_(random), faults_(faults) {}

  // Runs `deliver` later, never, or twice. What is on the way survives a crash of its sender.
  void transmit(NodeId from, NodeId to, std::function<void()> deliver);

  // Cuts a node off from all others, or mends that.
  void isolate(NodeId node, bool cut) {
    cut ? void(isolated_.insert(node)) : void(isolated_.erase(node));
  }
  void set_faults(const NetworkFaults& faults) { faults_ = faults; }

 private:
  EventQueue& events_;
  Prng random_;
  NetworkFaults faults_;
  std::set<NodeId> isolated_;
};

}  // namespace muster::sim
