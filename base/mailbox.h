// Mailbox: values from any thread to one, with a file descriptor to wait on.
//
// Thread safety: push from anywhere; pop and fd by the owner.
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
  Mailbox() : event_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
    MUSTER_CHECK(static_cast<bool>(event_), "no eventfd");
  }

  void push(T value) {
    {
      const std::lock_guard lock(mutex_);
      values_.push_back(std::move(value));
    }
    const std::uint64_t one = 1;
    (void)!::write(event_.get(), &one, sizeof(one));
  }

  // The oldest value, if any. Call until empty: only then does fd() stop being readable.
  std::optional<T> pop() {
    const std::lock_guard lock(mutex_);
    if (values_.empty()) {
      std::uint64_t count = 0;
      (void)!::read(event_.get(), &count, sizeof(count));
      return std::nullopt;
    }
    std::optional<T> value(std::move(values_.front()));
    values_.pop_front();
    return value;
  }

  // Readable while there may be something to pop.
  [[nodiscard]] int fd() const { return event_.get(); }

 private:
  FileHandle event_;
  std::mutex mutex_;
  std::deque<T> values_;
};

}  // namespace muster
