// RoundShare: this process's share of a miner's rounds: all of it, or, as one of several ranks, a
// slice of every batch.
//
// A step whose loss or gradient is not finite is skipped; too many of them in a row end the round.
// Ranks agree before each step whether to go on, so that a stop or a failure that one of them sees
// ends the round of all at the same step. Thread safety: as round_trainer.h.
#pragma once

#include <memory>
#include <optional>

#include "base/collective.h"
#include "trainer/data/data_set.h"
#include "trainer/ranks/shard_plan.h"
#include "trainer/rounds/round_engine.h"
#include "trainer/rounds/round_trainer.h"
#include "trainer/trainer.h"

namespace muster::trainer {

class RoundShare final : public RoundTrainer {
 public:
  // Makes the engine, at first and after a failure.
  using MakeEngine = std::function<Result<std::unique_ptr<RoundEngine>>()>;
  // θ: whole, outlives this. `collective`: null for a miner of one process; outlives this too.
  [[nodiscard]] static Result<std::unique_ptr<RoundShare>> make(const TrainerConfig& config,
                                                                DataSet data,
                                                                std::span<const float> theta,
                                                                MakeEngine make_engine,
                                                                Collective* collective = nullptr);

  Result<protocol::TrainReport> train(const protocol::TrainTask& task,
                                      const std::atomic<bool>& stop,
                                      const std::function<void(std::uint32_t)>& progress) override;
  Result<std::vector<Bytes>> encode(const compression::PayloadFormat& format) override;
  Status settle(protocol::Settlement settlement) override;
  Result<StateHead> describe() override;
  Status write(StateFile& file, std::uint64_t first_entry) override;
  Status read(const StateFile& file) override;
  bool is_sound() override { return engine_ != nullptr; }
  Status restart() override;

 private:
  RoundShare(const TrainerConfig& config, DataSet data, std::span<const float> theta,
             MakeEngine make_engine, Collective* collective);
  [[nodiscard]] unsigned rank() const { return collective_ == nullptr ? 0 : collective_->rank(); }
  [[nodiscard]] unsigned ranks() const { return collective_ == nullptr ? 1 : collective_->size(); }
  // Reads this rank's part of a step's sequences into tokens_; what all ranks agree on.
  [[nodiscard]] Result<Batch> next_batch(std::span<const std::uint64_t> sequences, bool stop);
  // Passes an error on that leaves the engine behind the others, or broken: it is gone.
  [[nodiscard]] Error lost(Error error);
  // Where this rank's part of the optimizer's arrays begins.
  [[nodiscard]] std::vector<std::uint64_t> optimizer_starts() const;

  TrainerConfig config_;
  compression::Layout layout_;
  DataSet data_;
  std::span<const float> theta_;
  Collective* collective_;  // null: alone
  ShardPlan plan_;
  MakeEngine make_engine_;
  std::unique_ptr<RoundEngine> engine_;   // null: it failed
  std::optional<EngineState> described_;  // by describe(), for write()
  std::vector<std::int32_t> tokens_;      // of one batch
  bool has_delta_ = false;                // Δ is there and not yet encoded
};

}  // namespace muster::trainer
