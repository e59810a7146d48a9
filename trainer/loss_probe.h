// DeviceLossProbe: what a validator measures with, on a device. See protocol/loss_probe.h.
//
// θ, the screening gradient, that of windows and what undoes a step lie in the device's memory.
// What a measurement moves of θ is moved back on every path; where a device fails at that, every
// later call returns its error.
#pragma once

#include <optional>

#include "model/device.h"
#include "protocol/loss_probe.h"
#include "state/tensor_groups.h"
#include "trainer/data/data_set.h"
#include "trainer/trainer.h"

namespace muster::trainer {

class DeviceLossProbe final : public protocol::LossProbe {
 public:
  // Errors: those of Device::make_model, kInvalidArgument (parameters of another model).
  [[nodiscard]] static Result<std::unique_ptr<protocol::LossProbe>> make(
      const TrainerConfig& config, DataSet train, DataSet held_out,
      std::shared_ptr<model::Device> device, std::span<const float> parameters);

  Status compute_gradient(std::span<const std::uint64_t> sequences) override;
  Result<double> gradient_cosine(const compression::SparseUpdate& update) override;
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
  std::string platform_class() const override { return "muster-1/" + model_->compute_class(); }

 private:
  DeviceLossProbe(const TrainerConfig& config, DataSet train, DataSet held_out,
                  std::shared_ptr<model::Device> device);
  [[nodiscard]] Result<std::vector<float>> evaluate(const DataSet& data,
                                                    std::span<const std::uint64_t> sequences);
  // Does the work with θ at `point` − scale · update, and brings θ back, whatever fails.
  template <class Work>
  [[nodiscard]] auto measure_at(protocol::ProbePoint point, const compression::SparseUpdate* update,
                                float scale, const Work& work) -> decltype(work());
  // Swaps these in order, and tells the model.
  [[nodiscard]] Status swap(std::span<model::Displacement* const> moved);
  [[nodiscard]] Status is_usable() const { return lost_ ? Status(*lost_) : Status(); }
  [[nodiscard]] Status read_theta();

  TrainerConfig config_;
  DataSet train_, held_out_;
  std::shared_ptr<model::Device> device_;           // outlives what it made
  std::unique_ptr<model::TrainableModel> model_;    // its parameters are θ
  std::unique_ptr<model::Displacement> last_step_;  // null: nothing was applied
  state::TensorGroups groups_;
  std::vector<float> theta_room_;  // for a copy of θ, where it lies elsewhere
  std::span<const float> host_theta_;
  std::unique_ptr<model::FloatArray> gradient_;  // the screening gradient; null: none was computed
  double gradient_norm_ = 0;
  std::optional<Error> lost_;  // why θ is not where it should be
};

}  // namespace muster::trainer
