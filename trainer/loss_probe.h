// LibtorchLossProbe: what a validator measures with, on LibTorch. See protocol/loss_probe.h.
#pragma once

#include "protocol/loss_probe.h"
#include "state/outer_step.h"
#include "trainer/data.h"
#include "trainer/optimizer.h"

namespace muster::trainer {

class LibtorchLossProbe final : public protocol::LossProbe {
 public:
  LibtorchLossProbe(const TrainerConfig& config, Data train, Data held_out,
                    std::span<const float> parameters);

  Status compute_gradient(std::span<const std::uint64_t> sequences) override;
  double gradient_cosine(const compression::SparseUpdate& update) const override;
  Result<std::vector<float>> losses(protocol::ProbePoint point,
                                    const compression::SparseUpdate* update, float scale,
                                    std::span<const std::uint64_t> sequences) override;
  Result<double> held_out_loss() override;
  Status apply(const compression::SparseUpdate& aggregate) override;
  std::span<const float> parameters() const override;
  Status set_parameters(std::span<const float> parameters) override;
  std::string platform_class() const override;

 private:
  [[nodiscard]] std::span<float> theta();
  // Exchanges θ with the values of the undo log: there, and a second time back.
  void swap_with_undo();
  [[nodiscard]] Result<std::vector<float>> evaluate(const Data& data,
                                                    std::span<const std::uint64_t> sequences);

  TrainerConfig config_;
  Model model_;
  Data train_, held_out_;
  at::ScalarType type_;
  at::Tensor theta_;
  at::Tensor gradient_;
  double gradient_norm_ = 0;
  state::UndoLog undo_;
};

}  // namespace muster::trainer
