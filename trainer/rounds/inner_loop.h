// LlamaInnerLoop: a miner's θ, and around it what trains its rounds. See protocol/inner_loop.h for
// the contract.
//
// What trains may fail (a process or a card that is gone). The round it was in is lost; before the
// next call it is made anew and takes up the last saved state and what was settled since.
#pragma once

#include <optional>

#include "protocol/inner_loop.h"
#include "trainer/rounds/round_share.h"
#include "trainer/rounds/shared_floats.h"

namespace muster::trainer {

class LlamaInnerLoop final : public protocol::InnerLoop {
 public:
  // θ: of this layout; `trainer` has a view of it.
  LlamaInnerLoop(compression::Layout layout, float outer_learning_rate, SharedFloats theta,
                 std::unique_ptr<RoundTrainer> trainer)
      : layout_(std::move(layout)),
        outer_learning_rate_(outer_learning_rate),
        theta_(std::move(theta)),
        trainer_(std::move(trainer)) {}

  Result<protocol::TrainReport> train(const protocol::TrainTask& task,
                                      const std::atomic<bool>& stop,
                                      const std::function<void(std::uint32_t)>& progress) override;
  Result<compression::Payload> encode(const compression::PayloadFormat& format) override;
  // What goes wrong is told by the next call that can.
  void settle(protocol::Settlement settlement) override;
  Status apply(const compression::SparseUpdate& aggregate) override;
  std::span<const float> parameters() const override { return theta_.values(); }
  Status set_parameters(std::span<const float> parameters) override;
  Status save(const std::filesystem::path& path, std::uint64_t tag) const override;
  Result<std::uint64_t> load(const std::filesystem::path& path) override;

 private:
  // Makes a failed trainer anew, at the last saved state and what was settled since.
  Status recover() const;
  Status write(const std::filesystem::path& path, std::uint64_t tag) const;

  compression::Layout layout_;
  float outer_learning_rate_;
  SharedFloats theta_;
  std::unique_ptr<RoundTrainer> trainer_;
  mutable std::optional<std::filesystem::path> saved_;       // where the last state is, if any
  mutable std::vector<protocol::Settlement> settled_since_;  // it
};

// Of a miner of one process, at these parameters. Errors: those of DataSet::open and of the engine.
[[nodiscard]] Result<std::unique_ptr<protocol::InnerLoop>> make_local_inner_loop(
    const TrainerConfig& config, std::span<const float> parameters,
    RoundShare::MakeEngine make_engine);

}  // namespace muster::trainer
