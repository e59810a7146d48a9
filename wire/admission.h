// Admission: which keys may open a channel, asked by ZeroMQ for every handshake.
//
// Thread safety: all members; the asking happens on a thread of its own.
#pragma once

#include <array>
#include <atomic>
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
  // Whether who came in under `identity` may stay.
  [[nodiscard]] virtual bool admitted(const PublicKey& identity) = 0;
  // Changes whenever somebody who was admitted may not be any more.
  [[nodiscard]] virtual std::uint64_t revision() const = 0;
};

// Only listed hotkeys; the list may change while connections are open.
class HotkeyAdmission final : public Admission {
 public:
  void set(const std::set<PublicKey>& hotkeys) {
    std::map<CurveKey, PublicKey> by_curve;
    for (const PublicKey& hotkey : hotkeys)
      if (auto curve = curve_public_key(hotkey)) by_curve[*curve] = hotkey;
    const std::lock_guard lock(mutex_);
    if (hotkeys == hotkeys_) return;
    hotkeys_ = hotkeys;
    by_curve_ = std::move(by_curve);
    ++revision_;
  }
  std::optional<PublicKey> admit(const CurveKey& key) override {
    const std::lock_guard lock(mutex_);
    const auto found = by_curve_.find(key);
    if (found == by_curve_.end()) return std::nullopt;
    return found->second;
  }
  bool admitted(const PublicKey& identity) override {
    const std::lock_guard lock(mutex_);
    return hotkeys_.contains(identity);
  }
  std::uint64_t revision() const override { return revision_; }

 private:
  std::mutex mutex_;
  std::set<PublicKey> hotkeys_;
  std::atomic<std::uint64_t> revision_{0};
  std::map<CurveKey, PublicKey> by_curve_;
};

// Everybody, under the CURVE key itself as identity: for public services whose requests are signed.
class OpenAdmission final : public Admission {
 public:
  std::optional<PublicKey> admit(const CurveKey& key) override { return PublicKey{key}; }
  bool admitted(const PublicKey&) override { return true; }
  std::uint64_t revision() const override { return 0; }
};

}  // namespace muster::wire
