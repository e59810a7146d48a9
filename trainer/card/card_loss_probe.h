// CardLossProbe: what a validator measures with, on a graphics card. See protocol/loss_probe.h.
//
// θ, its bf16 copy, the screening gradient, that of windows and what undoes a step lie on the card;
// updates go there entry by entry, and of the gradient only what a cosine asks for comes back.
#pragma once

#include "protocol/loss_probe.h"
#include "trainer/card/device.h"
#include "trainer/data/data_set.h"
#include "trainer/trainer.h"

namespace muster::trainer {

class CardLossProbe final : public protocol::LossProbe {
 public:
  // Errors: those of make_card_model.
  [[nodiscard]] static Result<std::unique_ptr<protocol::LossProbe>> make(
      const TrainerConfig& config, DataSet train, DataSet held_out, std::shared_ptr<gpu::Card> card,
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
  std::span<const float> parameters() const override { return host_theta_; }
  Status set_parameters(std::span<const float> parameters) override;
  std::string platform_class() const override { return "muster-1/" + card_path(*card_, task_); }

 private:
  CardLossProbe(const TrainerConfig& config, DataSet train, DataSet held_out,
                std::shared_ptr<gpu::Card> card);
  [[nodiscard]] Result<std::vector<float>> evaluate(const DataSet& data,
                                                    std::span<const std::uint64_t> sequences);
  // Exchanges θ with the parameters before the last step: there, and a second time back.
  Status swap_with_undo();

  TrainerConfig config_;
  CardTask task_;
  DataSet train_, held_out_;
  std::shared_ptr<gpu::Card> card_;               // outlives what it made
  std::unique_ptr<gpu::Model> model_;             // its parameters are θ
  std::unique_ptr<gpu::Displacement> last_step_;  // null: nothing was applied
  std::vector<float> host_theta_;
  std::unique_ptr<gpu::FloatArray> gradient_;  // the screening gradient; null: none was computed
  double gradient_norm_ = 0;
};

}  // namespace muster::trainer
