// CollectiveQueue: calls of a Collective that are made one after the other while the caller
// computes.
//
// Thread safety: one owner. The destructor waits for the call in progress and makes no more.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>

#include "base/result.h"
#include "base/worker.h"

namespace muster::trainer {

class CollectiveQueue {
 public:
  // Returns a ticket for wait(). After a failed call no other is made.
  std::uint64_t post(std::function<Status()> call) {
    worker_.post([this, call = std::move(call)] {
      Status made = is_sound_ ? call() : Status();
      const std::lock_guard lock(mutex_);
      if (!made) {
        is_sound_ = false;
        status_ = std::move(made);
      }
      ++done_;
      done_changed_.notify_all();
    });
    return ++posted_;
  }
  void wait(std::uint64_t ticket) {
    std::unique_lock lock(mutex_);
    done_changed_.wait(lock, [&] { return done_ >= ticket; });
  }
  // Waits for all; the first error since it was made.
  [[nodiscard]] Status drain() {
    wait(posted_);
    const std::lock_guard lock(mutex_);
    return status_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable done_changed_;
  std::uint64_t posted_ = 0, done_ = 0;
  Status status_;         // the first error
  bool is_sound_ = true;  // the worker's: no error yet
  Worker worker_;         // last: its calls use the rest
};

}  // namespace muster::trainer
