#include "trainer/run/checkpoint_writer.h"

#include <sys/resource.h>

#include <utility>

namespace muster::trainer {
namespace {

constexpr int kNice = 10;  // yields to training, and still gets a tenth of a busy core

}  // namespace

bool CheckpointWriter::submit(CheckpointHead head, std::span<const NamedState> arrays) {
  {
    const std::lock_guard lock(mutex_);
    if (busy_) return false;
    busy_ = true;
  }
  head_ = std::move(head);
  copies_.resize(arrays.size());
  arrays_.clear();
  for (std::size_t i = 0; i < arrays.size(); ++i) {
    copies_[i].assign(arrays[i].values.begin(), arrays[i].values.end());
    arrays_.push_back({arrays[i].name, copies_[i]});
  }
  worker_.post([this] { write(); });
  return true;
}

void CheckpointWriter::write() {
  ::setpriority(PRIO_PROCESS, 0, kNice);  // on Linux: this thread's
  Status written = folder_.write(head_, arrays_, keep_);
  const std::lock_guard lock(mutex_);
  if (!written) error_ = std::move(written);
  busy_ = false;
  idle_.notify_all();
}

Status CheckpointWriter::take_error() {
  const std::lock_guard lock(mutex_);
  return std::exchange(error_, Status{});
}

Status CheckpointWriter::finish() {
  std::unique_lock lock(mutex_);
  idle_.wait(lock, [this] { return !busy_; });
  return std::exchange(error_, Status{});
}

}  // namespace muster::trainer
