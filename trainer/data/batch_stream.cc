#include "trainer/data/batch_stream.h"

#include <algorithm>

namespace muster::trainer {

BatchStream::BatchStream(const DataSet& data, IdSource source, std::uint32_t batch)
    : data_(data), source_(std::move(source)), ids_(batch) {
  MUSTER_CHECK(batch > 0, "a batch without sequences");
  for (auto& buffer : buffers_) buffer.resize(batch * (std::size_t{data.context()} + 1));
  thread_ = std::thread([this] { run(); });
}

BatchStream::~BatchStream() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

Result<std::span<const std::int32_t>> BatchStream::next() {
  std::unique_lock lock(mutex_);
  returned_ = given_;
  changed_.notify_all();
  changed_.wait(lock, [this] { return made_ > given_ || ended_; });
  if (made_ == given_) return end_.error();
  return std::span<const std::int32_t>(buffers_[given_++ % buffers_.size()]);
}

void BatchStream::run() {
  for (;;) {
    std::uint64_t number = 0;
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return stopping_ || made_ - returned_ < buffers_.size(); });
      if (stopping_) return;
      number = made_;
    }
    // Outside of the lock: nobody else looks at this buffer until it is counted as made.
    const Status read = source_(ids_) ? data_.read(ids_, buffers_[number % buffers_.size()])
                                      : Status(Error{Errc::kClosed, "no more sequences"});
    const std::lock_guard lock(mutex_);
    if (read) {
      ++made_;
    } else {
      end_ = read;
      ended_ = true;
    }
    changed_.notify_all();
    if (ended_) return;
  }
}

BatchStream::IdSource ids_in_order(std::vector<std::uint64_t> ids) {
  return [ids = std::move(ids), next = std::size_t{0}](std::span<std::uint64_t> batch) mutable {
    if (ids.size() - next < batch.size()) return false;
    std::copy_n(ids.begin() + static_cast<std::ptrdiff_t>(next), batch.size(), batch.begin());
    next += batch.size();
    return true;
  };
}

}  // namespace muster::trainer
