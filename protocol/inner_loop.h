// InnerLoop: a miner's training, behind the interface that the miner's role and service use.
//
// The implementation owns the miner's θ, optimiser moments and error feedback.
// Thread safety: one thread at a time; `stop` may be set from another.
#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <vector>

#include "base/hash.h"
#include "base/result.h"
#include "base/types.h"
#include "compression/payload.h"

namespace muster::protocol {

struct TrainTask {
  Round round;
  std::vector<std::uint64_t> sequences;  // ids of the data set, in the order they must be used
  std::uint32_t inner_steps = 0;         // H; sequences.size() = H · batch
};

struct TrainReport {
  std::uint32_t sequences_used = 0;
  std::uint32_t inner_steps = 0;
  std::uint32_t skipped_steps = 0;  // their loss or gradient was not finite
  double mean_loss = 0;             // nats per token over the inner steps that were not skipped
};

// What became of the payload of the last encode().
enum class Settlement : std::uint8_t {
  kDelivered,  // in the round, accepted or rejected on content: e ← β(e + Δ − decoded)
  kKept,       // not in the round, by no fault of its content: e ← β(e + Δ)
  kMissed,     // no payload was made: e ← βe
};

class InnerLoop {
 public:
  virtual ~InnerLoop() = default;

  // Runs the inner steps from θ on a working copy; θ itself does not change.
  // `progress(step)` is called after each step. Errors: kCancelled (stop was set), kNotFound
  // (data), kNonFinite (the loss diverged: too many steps were not finite, or all).
  [[nodiscard]] virtual Result<TrainReport> train(
      const TrainTask& task, const std::atomic<bool>& stop,
      const std::function<void(std::uint32_t)>& progress) = 0;

  // Δ = θ − trained; compresses Δ and error feedback e (compression/error_feedback.h). Call after
  // train(), once; then settle().
  [[nodiscard]] virtual Result<compression::Payload> encode(
      const compression::PayloadFormat& format) = 0;

  // Once per round.
  virtual void settle(Settlement settlement) = 0;

  // θ' = step(θ, aggregate), as state/outer_step.h does it.
  [[nodiscard]] virtual Status apply(const compression::SparseUpdate& aggregate) = 0;

  // θ, flat, in the layout's order.
  [[nodiscard]] virtual std::span<const float> parameters() const = 0;

  // Replaces θ (joining, or recovery from a checkpoint); moments and error feedback stay.
  [[nodiscard]] virtual Status set_parameters(std::span<const float> parameters) = 0;

  // Everything needed to go on (θ, moments, error feedback, the pending encode and step count) in
  // one file, replaced as a whole and durable on return. `tag` comes back from load: the caller's
  // own position, e.g. the round it belongs to.
  [[nodiscard]] virtual Status save(const std::filesystem::path& path, std::uint64_t tag) const = 0;
  [[nodiscard]] virtual Result<std::uint64_t> load(const std::filesystem::path& path) = 0;
};

}  // namespace muster::protocol
