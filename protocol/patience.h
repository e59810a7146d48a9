// Patience: when a node that follows the coordinator asks again, and what it says while it hears
// nothing.
//
// Thread safety: none; one owner.
#pragma once

#include <optional>
#include <string>

#include "base/clock.h"
#include "base/types.h"

namespace muster::protocol {

class Patience {
 public:
  // Asks again after `retry_ms` without anything of use.
  explicit Patience(std::uint32_t retry_ms) : retry_ms_(retry_ms) {}

  // The coordinator sent something, whatever it was.
  void heard(TimeMs now);
  // It was of use, or this node has just asked.
  void satisfied(TimeMs now) { last_use_ = now; }
  [[nodiscard]] bool is_over(TimeMs now) const { return now - last_use_ >= TimeMs{retry_ms_}; }

  // Whether to ask at once for what was evidently missed; seldom, until the node gets on.
  [[nodiscard]] bool may_ask(TimeMs now);
  void next_round() { asked_at_.reset(); }

  // What a person should read when nothing came for a long time; seldomer the longer it lasts.
  [[nodiscard]] std::optional<std::string> complaint(TimeMs now, Round round);

 private:
  std::uint32_t retry_ms_;
  TimeMs last_use_ = 0;
  std::optional<TimeMs> last_message_;  // of the coordinator, or when this node began to wait
  TimeMs said_after_ = 0;               // how long a silence must last to be told
  std::optional<TimeMs> asked_at_;
};

}  // namespace muster::protocol
