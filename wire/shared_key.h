// Whether one key is used by two processes at the same time, as when a node's folder was copied and
// started twice.
//
// A process that connects again speaks on its new connection from then on; what was still under way
// on the old one comes within moments. So a connection that speaks although a newer one has, again
// and again and with time in between, belongs to another process that lives. Sans-I/O. Thread
// safety: none; one owner.
#pragma once

#include <optional>
#include <string>
#include <utility>

#include "base/clock.h"
#include "base/sign.h"

namespace muster::wire {

// Found with a message of `key` from `address`, while another process was connected from
// `other_address`.
struct SharedKey {
  PublicKey key;
  std::string address, other_address;
};

class SharedKeyWatch {
 public:
  // An older connection of the key has spoken after a newer one. True when that is to be said:
  // twice in a row, so that both processes can be answered when it is their turn, and then not for
  // a minute.
  [[nodiscard]] bool returned(TimeMs now) {
    if (last_ && now - *last_ < kApartMs) return false;
    if (last_ && now - *last_ > kForgottenMs) returns_ = 0;
    last_ = now;
    if (++returns_ < kReturns) return false;
    if (said_ && now - *said_ < kSayAgainMs) return std::exchange(say_to_other_, false);
    said_ = now;
    say_to_other_ = true;
    return true;
  }

 private:
  static constexpr TimeMs kApartMs = 500, kForgottenMs = 120'000, kSayAgainMs = 60'000;
  static constexpr int kReturns = 3;
  int returns_ = 0;
  std::optional<TimeMs> last_, said_;
  bool say_to_other_ = false;
};

}  // namespace muster::wire
