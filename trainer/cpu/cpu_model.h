// CpuModel: a TrainableModel on this machine's CPU: Llama's passes, the gradient's norm, clipping,
// an optimizer.
//
// Among ranks gradient and moments are shared out, and where it is asked for θ too. Thread safety:
// as trainable_model.h.
#pragma once

#include <memory>
#include <optional>

#include "base/team.h"
#include "model/host_array.h"
#include "model/trainable_model.h"
#include "trainer/llama/llama.h"
#include "trainer/optim/optimizer.h"
#include "trainer/ranks/sharded_parts.h"

namespace muster::trainer {

class CpuModel final : public model::TrainableModel {
 public:
  // `llama`: of settings.spec, on this team, which outlives the model.
  CpuModel(const model::ModelSettings& settings, std::shared_ptr<Llama> llama, Team& team);

  const state::ModelSpec& spec() const override { return spec_; }
  std::uint32_t sequences_at_once() const override { return sequences_; }
  std::string compute_class() const override { return llama_->path(); }
  model::FloatArray& parameters() override { return masters_; }
  model::FloatArray& gradient() override { return gradient_; }
  std::vector<model::NamedArray> optimizer_arrays() override;

  Status parameters_changed() override;
  Status load(std::span<const float> theta) override;
  using TrainableModel::compute_gradient;
  Result<model::StepOutcome> step(std::span<const std::int32_t> tokens,
                                  const model::StepSettings& settings) override;
  Result<model::StepOutcome> compute_gradient(std::span<const std::int32_t> tokens,
                                              const model::SharedBatch& batch) override;
  Status compute_window_gradient(std::span<const std::int32_t> tokens, std::uint32_t first,
                                 std::uint32_t end) override;
  Status losses(std::span<const std::int32_t> tokens, std::span<float> losses) override;

 private:
  struct Named {
    std::string name;
    std::unique_ptr<model::HostArray> values;
  };
  [[nodiscard]] std::size_t row() const { return spec_.context + std::size_t{1}; }
  [[nodiscard]] bool is_sharded() const { return collective_ != nullptr && shards_parameters_; }
  [[nodiscard]] double add_passes(std::span<const std::int32_t> tokens);
  [[nodiscard]] Result<model::StepOutcome> gradient_among_ranks(
      std::span<const std::int32_t> tokens, const model::SharedBatch& batch);

  state::ModelSpec spec_;
  std::uint32_t sequences_;
  Collective* collective_;    // null: one rank
  std::vector<Range> owned_;  // by rank
  bool shards_parameters_;
  Team& team_;
  std::shared_ptr<Llama> llama_;
  std::vector<float> working_;  // all parameters, or, sharded, those that this rank optimizes
  model::HostArray masters_;    // those that this rank optimizes
  model::HostArray gradient_;   // of these
  std::unique_ptr<Optimizer> optimizer_;  // null: there is none, or this rank optimizes nothing
  std::vector<Named> memory_;             // views of what it remembers
  std::optional<ShardedParts> parts_;     // among ranks
};

}  // namespace muster::trainer
