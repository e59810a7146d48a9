// Mailbox: values from any thread to one, with a file descriptor to wait on.
//
// Without a free descriptor it works all the same, but wakes nobody: values are found when the
// owner looks next. Thread safety: push from anywhere; pop and fd by the owner.
#pragma once

#include <sys/eventfd.h>
#include <unistd.h>

#include <deque>
#include <mutex>
#include <optional>

#include "base/file.h"

namespace muster {

template <class T>
class Mailbox {
 public:
  Mailbox() : event_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {}

  void push(T value) {
    {
      const std::lock_guard lock(mutex_);
      values_.push_back(std::move(value));
    }
    if (!event_) return;
    const std::uint64_t one = 1;
    (void)!::write(event_.get(), &one, sizeof(one));
  }

  // The oldest value, if any. Call until empty: only then does fd() stop being readable.
  std::optional<T> pop() {
    const std::lock_guard lock(mutex_);
    if (values_.empty()) {
      std::uint64_t count = 0;
      if (event_) (void)!::read(event_.get(), &count, sizeof(count));
      return std::nullopt;
    }
    std::optional<T> value(std::move(values_.front()));
    values_.pop_front();
    return value;
  }

  // Readable while there may be something to pop; −1 without a descriptor.
  [[nodiscard]] int fd() const { return event_.get(); }

 private:
  FileHandle event_;
  std::mutex mutex_;
  std::deque<T> values_;
};

}  // namespace muster
