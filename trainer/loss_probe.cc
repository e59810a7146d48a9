#include "trainer/loss_probe.h"

#include <algorithm>
#include <numeric>

namespace muster::trainer {

DeviceLossProbe::DeviceLossProbe(const TrainerConfig& config, DataSet train, DataSet held_out,
                                 std::shared_ptr<model::Device> device)
    : config_(config),
      train_(std::move(train)),
      held_out_(std::move(held_out)),
      device_(std::move(device)),
      groups_(state::tensor_groups(state::layout_of(config.model))) {}

Result<std::unique_ptr<protocol::LossProbe>> DeviceLossProbe::make(
    const TrainerConfig& config, DataSet train, DataSet held_out,
    std::shared_ptr<model::Device> device, std::span<const float> parameters) {
  std::unique_ptr<DeviceLossProbe> probe(
      new DeviceLossProbe(config, std::move(train), std::move(held_out), std::move(device)));
  MUSTER_TRY(probe->model_,
             probe->device_->make_model(
                 {.spec = config.model,
                  .sequences = probe->device_->sequences_measured_at_once(config.model),
                  .has_optimizer = false,
                  .compute = config.compute.compute}));
  MUSTER_TRY_STATUS(probe->set_parameters(parameters));
  return std::unique_ptr<protocol::LossProbe>(std::move(probe));
}

Status DeviceLossProbe::compute_gradient(std::span<const std::uint64_t> sequences) {
  MUSTER_TRY_STATUS(is_usable());
  std::vector<std::int32_t> tokens(sequences.size() * (config_.model.context + std::size_t{1}));
  MUSTER_TRY_STATUS(train_.read(sequences, tokens));
  MUSTER_TRY(const model::StepOutcome outcome, model_->compute_gradient(tokens));
  gradient_norm_ = outcome.gradient_norm;
  if (gradient_ == nullptr) {
    MUSTER_TRY(gradient_, device_->make_array(model_->gradient().size()));
  }
  return device_->copy(model_->gradient(), *gradient_);
}

Result<double> DeviceLossProbe::gradient_cosine(const compression::SparseUpdate& update) {
  MUSTER_CHECK(gradient_ != nullptr, "a cosine before any gradient");
  std::vector<float> gradient(update.indices.size());
  MUSTER_TRY_STATUS(device_->gather(*gradient_, update.indices, gradient));
  double dot = 0;
  for (std::size_t i = 0; i < gradient.size(); ++i)
    dot += static_cast<double>(update.values[i]) * static_cast<double>(gradient[i]);
  const double norms = gradient_norm_ * compression::norm(update);
  return norms > 0 ? dot / norms : 0;
}

Result<std::vector<float>> DeviceLossProbe::evaluate(const DataSet& data,
                                                     std::span<const std::uint64_t> sequences) {
  std::vector<float> losses(sequences.size());
  std::vector<std::int32_t> tokens(sequences.size() * (config_.model.context + std::size_t{1}));
  MUSTER_TRY_STATUS(data.read(sequences, tokens));
  MUSTER_TRY_STATUS(model_->losses(tokens, losses));
  return losses;
}

Status DeviceLossProbe::swap(std::span<model::Displacement* const> moved) {
  if (moved.empty()) return {};
  for (model::Displacement* displacement : moved) MUSTER_TRY_STATUS(displacement->swap());
  return model_->parameters_changed();
}

template <class Work>
auto DeviceLossProbe::measure_at(protocol::ProbePoint point,
                                 const compression::SparseUpdate* update, float scale,
                                 const Work& work) -> decltype(work()) {
  MUSTER_TRY_STATUS(is_usable());
  std::vector<model::Displacement*> moved;  // in the order in which they are to be undone
  std::unique_ptr<model::Displacement> displaced;
  const auto leave = [&]() -> Status {
    if (point == protocol::ProbePoint::kPrevious && last_step_ != nullptr) {
      if (Status swapped = last_step_->swap(); !swapped) {
        lost_ = swapped.error();  // nobody knows how far it came, so it cannot be undone
        return swapped;
      }
      moved.push_back(last_step_.get());
    }
    if (update != nullptr) {
      MUSTER_TRY(displaced, device_->displace(model_->parameters(), *update, scale));
      moved.insert(moved.begin(), displaced.get());
    }
    return moved.empty() ? Status() : model_->parameters_changed();
  };
  const Status left = leave();
  auto measured = left ? work() : decltype(work())(left.error());
  if (Status back = swap(moved); !back) {
    lost_ = back.error();
    return std::move(back).error();
  }
  return measured;
}

Result<std::vector<float>> DeviceLossProbe::losses(protocol::ProbePoint point,
                                                   const compression::SparseUpdate* update,
                                                   float scale,
                                                   std::span<const std::uint64_t> sequences) {
  return measure_at(point, update, scale, [&] { return evaluate(train_, sequences); });
}

Result<std::vector<double>> DeviceLossProbe::products(
    std::span<const protocol::Window> windows,
    std::span<const compression::SparseUpdate* const> updates) {
  MUSTER_TRY(const auto multiplied, device_->make_products(updates, groups_));
  return measure_at(
      protocol::ProbePoint::kPrevious, nullptr, 0, [&]() -> Result<std::vector<double>> {
        std::vector<double> products;
        std::vector<std::int32_t> tokens(config_.model.context + std::size_t{1});
        for (const protocol::Window& window : windows) {
          MUSTER_TRY_STATUS(train_.read(std::span(&window.sequence, 1), tokens));
          MUSTER_TRY_STATUS(model_->compute_window_gradient(tokens, window.first, window.end));
          MUSTER_TRY(const auto sums, multiplied->multiply(model_->gradient()));
          products.insert(products.end(), sums.begin(), sums.end());
        }
        return products;
      });
}

Result<double> DeviceLossProbe::held_out_loss() {
  MUSTER_TRY_STATUS(is_usable());
  std::vector<std::uint64_t> ids(
      std::min<std::uint64_t>(config_.held_out_sequences, held_out_.sequences()));
  // Spread over the whole set, so that few sequences still see all of it.
  for (std::size_t i = 0; i < ids.size(); ++i) ids[i] = i * held_out_.sequences() / ids.size();
  MUSTER_TRY(const auto losses, evaluate(held_out_, ids));
  return std::accumulate(losses.begin(), losses.end(), 0.0) / static_cast<double>(losses.size());
}

Status DeviceLossProbe::read_theta() {
  MUSTER_TRY(host_theta_, model_->parameters().on_host(theta_room_));
  return {};
}

Status DeviceLossProbe::apply(const compression::SparseUpdate& aggregate) {
  MUSTER_TRY_STATUS(is_usable());
  last_step_.reset();
  MUSTER_TRY(last_step_,
             device_->displace(model_->parameters(), aggregate, config_.outer_learning_rate));
  MUSTER_TRY_STATUS(model_->parameters_changed());
  return read_theta();
}

Status DeviceLossProbe::set_parameters(std::span<const float> parameters) {
  if (parameters.size() != model_->parameters().size())
    return Error{Errc::kInvalidArgument, "parameters of another model"};
  last_step_.reset();
  MUSTER_TRY_STATUS(model_->load(parameters));
  lost_.reset();
  return read_theta();
}

}  // namespace muster::trainer
