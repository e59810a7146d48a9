// RoundTrainer: what trains a miner's rounds from a θ that it is given a view of: this process
// (RoundShare), or several (RankGroup). Everything of a miner's training but θ itself is its.
//
// Thread safety: one thread at a time; `stop` may be set from another.
#pragma once

#include <atomic>
#include <functional>
#include <vector>

#include "protocol/inner_loop.h"
#include "trainer/rounds/state_file.h"

namespace muster::trainer {

class RoundTrainer {
 public:
  virtual ~RoundTrainer() = default;

  // As protocol::InnerLoop::train(). θ must not change meanwhile. Errors: besides those, kIo and
  // kClosed (a card or a process failed; then is_sound() is false).
  [[nodiscard]] virtual Result<protocol::TrainReport> train(
      const protocol::TrainTask& task, const std::atomic<bool>& stop,
      const std::function<void(std::uint32_t)>& progress) = 0;
  // The payload's segments that are its own, in order. Once after train(). Errors: those of
  // compression::compress, kIo, kClosed.
  [[nodiscard]] virtual Result<std::vector<Bytes>> encode(
      const compression::PayloadFormat& format) = 0;
  // Errors: kIo, kClosed.
  [[nodiscard]] virtual Status settle(protocol::Settlement settlement) = 0;

  // What a file of its state has, but for the tag; entries: its own. Errors: kIo, kClosed.
  [[nodiscard]] virtual Result<StateHead> describe() = 0;
  // Writes what is its own of everything but θ; its entries begin at `first_entry`. REQUIRES:
  // describe() before it, and nothing since. Errors: kIo, kClosed.
  [[nodiscard]] virtual Status write(StateFile& file, std::uint64_t first_entry) = 0;
  // Errors: kInvalidArgument (made with another optimizer), kIo, kTooLarge, kClosed.
  [[nodiscard]] virtual Status read(const StateFile& file) = 0;

  // Whether it can go on. If not, restart() makes it new, as at the first round. Errors: why that
  // failed too.
  [[nodiscard]] virtual bool is_sound() = 0;
  [[nodiscard]] virtual Status restart() = 0;
};

}  // namespace muster::trainer
