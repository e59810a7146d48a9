// Admission: which keys may open a channel, asked by ZeroMQ for every handshake.
//
// Thread safety: all members; the asking happens on a thread of its own.
#pragma once

#include <array>
#include <map>
#include <mutex>
#include <optional>
#include <set>

#include "base/key.h"
#include "base/sign.h"

namespace muster::wire {

using CurveKey = std::array<std::uint8_t, 32>;

class Admission {
 public:
  virtual ~Admission() = default;
  // Under which identity the holder of `key` comes in; nothing: the handshake is refused.
  [[nodiscard]] virtual std::optional<PublicKey> admit(const CurveKey& key) = 0;
};

// Only listed hotkeys; the list may change while connections are open.
class HotkeyAdmission final : public Admission {
 public:
  void set(const std::set<PublicKey>& hotkeys) {
    std::map<CurveKey, PublicKey> by_curve;
    for (const PublicKey& hotkey : hotkeys)
      if (auto curve = curve_public_key(hotkey)) by_curve[*curve] = hotkey;
    const std::lock_guard lock(mutex_);
    by_curve_ = std::move(by_curve);
  }
  std::optional<PublicKey> admit(const CurveKey& key) override {
    const std::lock_guard lock(mutex_);
    const auto found = by_curve_.find(key);
    if (found == by_curve_.end()) return std::nullopt;
    return found->second;
  }

 private:
  std::mutex mutex_;
  std::map<CurveKey, PublicKey> by_curve_;
};

// Everybody, under the CURVE key itself as identity: for public services whose requests are signed.
class OpenAdmission final : public Admission {
 public:
  std::optional<PublicKey> admit(const CurveKey& key) override { return PublicKey{key}; }
};

}  // namespace muster::wire
