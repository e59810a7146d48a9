// BatchStream: the next batch is read on a thread of its own while the last one is trained on.
//
// Two buffers take turns, so no batch allocates and nothing is copied but once, from the mapped
// file to 32-bit numbers. The order is that of the ids. Thread safety: next() by one thread; the
// data set must live longer.
#pragma once

#include <array>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <span>
#include <thread>
#include <vector>

#include "base/result.h"
#include "trainer/data/data_set.h"

namespace muster::trainer {

class BatchStream {
 public:
  // Fills in the sequences of the next batch, or says false: there are no more. Called on the
  // stream's thread.
  using IdSource = std::function<bool(std::span<std::uint64_t> ids)>;

  BatchStream(const DataSet& data, IdSource source, std::uint32_t batch);
  // Waits for the batch that is being read and drops it.
  ~BatchStream();
  BatchStream(const BatchStream&) = delete;

  // [batch, context + 1] numbers, valid until the next call. Errors: kClosed (no more), those of
  // DataSet::read; after one every call gives the same.
  [[nodiscard]] Result<std::span<const std::int32_t>> next();

 private:
  void run();

  const DataSet& data_;
  const IdSource source_;
  std::vector<std::uint64_t> ids_;
  std::array<std::vector<std::int32_t>, 2> buffers_;
  std::mutex mutex_;
  std::condition_variable changed_;
  // Batches so far: made, given out, and given back. made − returned is at most the number of
  // buffers.
  std::uint64_t made_ = 0, given_ = 0, returned_ = 0;
  Status end_;  // why no more are made, once `ended_`
  bool ended_ = false, stopping_ = false;
  std::thread thread_;  // last: it uses all of the above
};

// Ids in the given order, whole batches only.
[[nodiscard]] BatchStream::IdSource ids_in_order(std::vector<std::uint64_t> ids);

}  // namespace muster::trainer
