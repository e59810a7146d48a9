// Silence: how long ranks may say nothing before one of them counts as hung.
//
// While they train, ranks report every step; to everything else they answer once. Silence is held
// against the longest one that the same work has had so far, with a floor: a machine that is slow
// throughout is never hung, and before anything was measured nothing is. Only what passes between
// two looks counts, a second of it at most: a machine that slept was not silent. Sans-I/O. Thread
// safety: none; one owner.
#pragma once

#include <algorithm>
#include <map>
#include <optional>

#include "base/clock.h"

namespace muster::trainer {

class Silence {
 public:
  struct Bounds {
    TimeMs floor_ms;
    TimeMs multiple;
  };
  static constexpr Bounds kSteps{120'000, 30};
  static constexpr Bounds kAnswers{900'000, 30};  // a state is written to whatever disk there is

  // `work`: what was asked for, as a number of the caller's.
  void begin(std::uint32_t work, const Bounds& bounds, TimeMs now) {
    work_ = work;
    bounds_ = bounds;
    silent_ms_ = 0;
    looked_at_ = now;
  }
  // Call at every turn of a wait, however short or long it was.
  void pass(TimeMs now) {
    silent_ms_ += std::clamp<TimeMs>(now - looked_at_, 0, kTurnMaxMs);
    looked_at_ = now;
  }
  // A rank has said something.
  void heard() {
    TimeMs& longest = longest_[work_];
    longest = std::max(longest, silent_ms_);
    silent_ms_ = 0;
  }
  [[nodiscard]] TimeMs silent_ms() const { return silent_ms_; }
  // Of the same work; none: nothing was heard of it yet.
  [[nodiscard]] std::optional<TimeMs> longest_ms() const {
    const auto found = longest_.find(work_);
    return found == longest_.end() ? std::nullopt : std::optional(found->second);
  }
  [[nodiscard]] bool is_over() const {
    const auto longest = longest_ms();
    return longest && silent_ms_ > std::max(bounds_.floor_ms, bounds_.multiple * *longest);
  }

 private:
  static constexpr TimeMs kTurnMaxMs = 1000;
  std::uint32_t work_ = 0;
  Bounds bounds_ = kSteps;
  TimeMs silent_ms_ = 0, looked_at_ = 0;
  std::map<std::uint32_t, TimeMs> longest_;
};

}  // namespace muster::trainer
