#include "protocol/patience.h"

#include <algorithm>

namespace muster::protocol {
namespace {

constexpr TimeMs kAskAgainMs = 250;
constexpr TimeMs kSilenceMs = 30'000;

}  // namespace

void Patience::heard(TimeMs now) {
  last_message_ = now;
  said_after_ = kSilenceMs;
}

bool Patience::may_ask(TimeMs now) {
  if (asked_at_ && now - *asked_at_ < kAskAgainMs) return false;
  asked_at_ = now;
  return true;
}

std::optional<std::string> Patience::complaint(TimeMs now, Round round) {
  if (!last_message_) heard(now);
  const TimeMs silent = now - *last_message_;
  if (silent < said_after_) return std::nullopt;
  said_after_ = 2 * silent;
  return "nothing from the coordinator for " + std::to_string(silent / 1000) + " s, before round " +
         std::to_string(round.value) +
         ": is it running at the address that this node was given, and is this hotkey on the "
         "ledger?";
}

}  // namespace muster::protocol
