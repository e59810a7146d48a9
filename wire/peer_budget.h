// Peer budgets: how many messages and bytes a sender may bring in a second, and how long it waits
// beyond that.
//
// Pure: time is a parameter, in milliseconds. A sender that takes more than it has is in debt and
// waits until the debt is paid; nothing of it is lost and nobody else waits. Thread safety: none;
// one owner.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <map>

#include "base/clock.h"

namespace muster::wire {

struct Rate {
  double per_second = 0;  // 0: no bound
  double burst = 0;       // how much may come at once after a pause
};

class TokenBucket {
 public:
  explicit TokenBucket(const Rate& rate) : rate_(rate), tokens_(rate.burst) {}

  // Takes `amount` ≥ 0, into debt if need be. Returns when the debt is paid: `now` when there is
  // none.
  TimeMs take(double amount, TimeMs now) {
    if (rate_.per_second <= 0) return now;
    refill(now);
    tokens_ -= amount;
    if (tokens_ >= 0) return now;
    return now + static_cast<TimeMs>(std::ceil(-tokens_ / rate_.per_second * 1000));
  }

  // Nothing of what it allows has been used: the bucket may as well be a new one.
  [[nodiscard]] bool full(TimeMs now) {
    refill(now);
    return rate_.per_second <= 0 || tokens_ >= rate_.burst;
  }

 private:
  void refill(TimeMs now) {
    if (now <= last_) return;
    tokens_ =
        std::min(rate_.burst, tokens_ + static_cast<double>(now - last_) / 1000 * rate_.per_second);
    last_ = now;
  }
  Rate rate_;
  double tokens_;
  TimeMs last_ = 0;
};

struct PeerBudget {
  Rate messages, bytes;
};

// One budget for each sender, by whatever key it is known.
template <class Key>
class PeerBudgets {
 public:
  explicit PeerBudgets(const PeerBudget& budget) : budget_(budget) {}

  // A message of `bytes` came from `sender`: until when nothing more is taken from it; `now` when
  // it may go on.
  TimeMs charge(const Key& sender, std::size_t bytes, TimeMs now) {
    if (senders_.size() >= sweep_at_) sweep(now);
    Sender& known =
        senders_
            .try_emplace(sender, Sender{TokenBucket(budget_.messages), TokenBucket(budget_.bytes)})
            .first->second;
    return std::max(known.messages.take(1, now), known.bytes.take(static_cast<double>(bytes), now));
  }
  [[nodiscard]] std::size_t size() const { return senders_.size(); }

 private:
  static constexpr std::size_t kSweepAt = 1024;
  struct Sender {
    TokenBucket messages, bytes;
  };
  // Forgets who owes nothing, so that ever new keys do not fill the memory.
  void sweep(TimeMs now) {
    for (auto entry = senders_.begin(); entry != senders_.end();) {
      Sender& sender = entry->second;
      entry = sender.messages.full(now) && sender.bytes.full(now) ? senders_.erase(entry)
                                                                  : std::next(entry);
    }
    sweep_at_ = std::max(kSweepAt, 2 * senders_.size());
  }
  PeerBudget budget_;
  std::map<Key, Sender> senders_;
  std::size_t sweep_at_ = kSweepAt;
};

}  // namespace muster::wire
