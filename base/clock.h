// Time as a parameter: nothing below cli/ reads the machine's clock itself.
#pragma once

#include <chrono>
#include <cstdint>

namespace muster {

// Milliseconds since an arbitrary start, never going back. Only differences mean anything.
using TimeMs = std::int64_t;

class Clock {
 public:
  virtual ~Clock() = default;
  [[nodiscard]] virtual TimeMs now_ms() const = 0;
};

class SteadyClock final : public Clock {
 public:
  [[nodiscard]] TimeMs now_ms() const override {
    return std::chrono::duration_cast<std::chrono::milliseconds>(
               std::chrono::steady_clock::now().time_since_epoch())
        .count();
  }
};

}  // namespace muster
