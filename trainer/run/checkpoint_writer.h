// CheckpointWriter: writes checkpoints while the training goes on.
//
// submit() copies the state into a buffer of its own, the only time that the training waits; a
// thread of low priority hashes and writes the copy. While it still does, another submit() copies
// nothing and is left out. Memory: one copy of the state. Thread safety: one owner; the thread is
// its own. The destructor waits for what is being written.
#pragma once

#include <condition_variable>
#include <mutex>

#include "base/worker.h"
#include "trainer/run/checkpoint_folder.h"

namespace muster::trainer {

class CheckpointWriter {
 public:
  // `keep` ≥ 1: checkpoints that stay.
  CheckpointWriter(CheckpointFolder folder, std::uint32_t keep)
      : folder_(std::move(folder)), keep_(keep) {}
  ~CheckpointWriter() { static_cast<void>(finish()); }
  CheckpointWriter(const CheckpointWriter&) = delete;

  // False: the one before is still being written, and this one was left out.
  [[nodiscard]] bool submit(CheckpointHead head, std::span<const NamedState> arrays);
  // The error of a checkpoint that could not be written since the last call, if any. Does not wait.
  [[nodiscard]] Status take_error();
  // Waits until nothing is being written; as take_error().
  [[nodiscard]] Status finish();

 private:
  void write();

  CheckpointFolder folder_;
  std::uint32_t keep_;
  CheckpointHead head_;
  std::vector<std::vector<float>> copies_;
  std::vector<NamedState> arrays_;  // over copies_
  std::mutex mutex_;
  std::condition_variable idle_;
  bool busy_ = false;
  Status error_;
  Worker worker_;  // last: it uses all of the above
};

}  // namespace muster::trainer
