// SittingOut: what a node does not take part in that was restored from a copy of its folder.
//
// A copy lacks what was signed after it was made. In the round that the node finds open when it is
// back, it may have committed, or screened, already; another version would be evidence against it.
// It follows that round, and those before it, and takes part from the next one on. Thread safety:
// none; one owner.
#pragma once

#include <optional>

#include "protocol/follower.h"

namespace muster::protocol {

class SittingOut {
 public:
  explicit SittingOut(bool restored) : restored_(restored) {}
  // Before anything is heard: an opening that the copy has is of the time when it was made.
  void start(const Follower& follower) {
    if (follower.open()) copied_ = follower.head().round();
  }
  // With every message; true once: when it is known which round it is. REQUIRES: follower.open().
  [[nodiscard]] bool take(const Follower& follower) {
    const Round round = follower.head().round();
    if (!restored_ || round_ || follower.manifest() || (copied_ && round <= *copied_)) return false;
    round_ = round;
    return true;
  }
  [[nodiscard]] bool holds(Round round) const { return restored_ && (!round_ || round <= *round_); }
  // With `sealed`, a round that this node has applied, everything is behind it that it may have
  // signed.
  [[nodiscard]] bool is_over(Round sealed) const { return round_ && sealed >= *round_; }

 private:
  bool restored_;
  std::optional<Round> copied_, round_;
};

}  // namespace muster::protocol
