// LlamaLossProbe: what a validator measures with. See protocol/loss_probe.h.
#pragma once

#include "protocol/loss_probe.h"
#include "state/outer_step.h"
#include "state/tensor_groups.h"
#include "trainer/data/data_set.h"
#include "trainer/trainer.h"

namespace muster::trainer {

class LlamaLossProbe final : public protocol::LossProbe {
 public:
  LlamaLossProbe(const TrainerConfig& config, DataSet train, DataSet held_out,
                 std::unique_ptr<Team> team, std::unique_ptr<Llama> llama,
                 std::span<const float> parameters);

  Status compute_gradient(std::span<const std::uint64_t> sequences) override;
  double gradient_cosine(const compression::SparseUpdate& update) const override;
  Result<std::vector<float>> losses(protocol::ProbePoint point,
                                    const compression::SparseUpdate* update, float scale,
                                    std::span<const std::uint64_t> sequences) override;
  Result<std::vector<double>> products(
      std::span<const protocol::Window> windows,
      std::span<const compression::SparseUpdate* const> updates) override;
  Result<double> held_out_loss() override;
  Status apply(const compression::SparseUpdate& aggregate) override;
  std::span<const float> parameters() const override { return theta_; }
  Status set_parameters(std::span<const float> parameters) override;
  std::string platform_class() const override;

 private:
  // Exchanges θ with the values of the undo log: there, and a second time back.
  void swap_with_undo();
  [[nodiscard]] Result<std::vector<float>> evaluate(const DataSet& data,
                                                    std::span<const std::uint64_t> sequences);

  TrainerConfig config_;
  DataSet train_, held_out_;
  std::unique_ptr<Team> team_;
  std::unique_ptr<Llama> llama_;
  state::TensorGroups groups_;
  std::vector<float> theta_, gradient_;
  std::vector<float> window_gradient_;
  double gradient_norm_ = 0;
  std::vector<std::int32_t> tokens_;
  state::UndoLog undo_;
};

}  // namespace muster::trainer
