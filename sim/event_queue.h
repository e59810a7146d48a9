// EventQueue: simulated time. Events run in order of time, then of scheduling; nothing else moves
// it.
//
// Thread safety: none; one simulation is one thread.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <utility>

#include "base/clock.h"

namespace muster::sim {

class EventQueue final : public Clock {
 public:
  [[nodiscard]] TimeMs now_ms() const override { return now_; }

  void at(TimeMs time, std::function<void()> event) {
    events_.emplace(std::pair{std::max(time, now_), next_++}, std::move(event));
  }
  void after(TimeMs delay, std::function<void()> event) { at(now_ + delay, std::move(event)); }

  // Runs the next event. False when there is none.
  bool step() {
    if (events_.empty()) return false;
    auto node = events_.extract(events_.begin());
    now_ = node.key().first;
    node.mapped()();
    return true;
  }

 private:
  TimeMs now_ = 0;
  std::uint64_t next_ = 0;
  std::map<std::pair<TimeMs, std::uint64_t>, std::function<void()>> events_;
};

}  // namespace muster::sim
