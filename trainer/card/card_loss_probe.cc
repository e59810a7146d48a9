#include "trainer/card/card_loss_probe.h"

#include <algorithm>
#include <numeric>

namespace muster::trainer {
namespace {

constexpr std::uint32_t kTokensAtOnce = 32768;

CardTask probe_task(const TrainerConfig& config) {
  CardTask task = card_task(config);
  task.batch = std::max(1u, kTokensAtOnce / config.model.context);
  return task;
}

}  // namespace

CardLossProbe::CardLossProbe(const TrainerConfig& config, DataSet train, DataSet held_out,
                             std::shared_ptr<gpu::Card> card)
    : config_(config),
      task_(probe_task(config)),
      train_(std::move(train)),
      held_out_(std::move(held_out)),
      card_(std::move(card)),
      host_theta_(state::layout_of(config.model).parameters()) {}

Result<std::unique_ptr<protocol::LossProbe>> CardLossProbe::make(
    const TrainerConfig& config, DataSet train, DataSet held_out, std::shared_ptr<gpu::Card> card,
    std::span<const float> parameters) {
  std::unique_ptr<CardLossProbe> probe(
      new CardLossProbe(config, std::move(train), std::move(held_out), std::move(card)));
  MUSTER_TRY(probe->model_, make_card_model(*probe->card_, probe->task_, false));
  MUSTER_TRY_STATUS(probe->set_parameters(parameters));
  return std::unique_ptr<protocol::LossProbe>(std::move(probe));
}

Status CardLossProbe::compute_gradient(std::span<const std::uint64_t> sequences) {
  std::vector<std::int32_t> tokens(sequences.size() * (config_.model.context + std::size_t{1}));
  MUSTER_TRY_STATUS(train_.read(sequences, tokens));
  MUSTER_TRY(const gpu::StepOutcome outcome, model_->compute_gradient(tokens));
  gradient_norm_ = outcome.gradient_norm;
  if (gradient_ == nullptr) {
    MUSTER_TRY(gradient_, card_->make_array(host_theta_.size()));
  }
  return card_->copy(model_->gradient(), *gradient_);
}

double CardLossProbe::gradient_cosine(const compression::SparseUpdate& update) const {
  MUSTER_CHECK(gradient_ != nullptr, "a cosine before any gradient");
  std::vector<float> gradient(update.indices.size());
  const Status gathered = card_->gather(*gradient_, update.indices, gradient);
  MUSTER_CHECK(gathered.has_value(), gathered ? "" : gathered.error().message);
  double dot = 0;
  for (std::size_t i = 0; i < gradient.size(); ++i)
    dot += static_cast<double>(update.values[i]) * static_cast<double>(gradient[i]);
  const double norms = gradient_norm_ * compression::norm(update);
  return norms > 0 ? dot / norms : 0;
}

Result<std::vector<float>> CardLossProbe::evaluate(const DataSet& data,
                                                   std::span<const std::uint64_t> sequences) {
  std::vector<float> losses(sequences.size());
  std::vector<std::int32_t> tokens(sequences.size() * (config_.model.context + std::size_t{1}));
  MUSTER_TRY_STATUS(data.read(sequences, tokens));
  MUSTER_TRY_STATUS(model_->losses(tokens, losses));
  return losses;
}

Status CardLossProbe::swap_with_undo() {
  return last_step_ == nullptr ? Status() : last_step_->swap();
}

Result<std::vector<float>> CardLossProbe::losses(protocol::ProbePoint point,
                                                 const compression::SparseUpdate* update,
                                                 float scale,
                                                 std::span<const std::uint64_t> sequences) {
  const bool back = point == protocol::ProbePoint::kPrevious && last_step_ != nullptr;
  if (back) MUSTER_TRY_STATUS(swap_with_undo());
  std::unique_ptr<gpu::Displacement> displaced;
  if (update != nullptr) {
    MUSTER_TRY(displaced, card_->displace(model_->parameters(), *update, scale));
  }
  const bool moved = back || displaced != nullptr;
  if (moved) MUSTER_TRY_STATUS(model_->parameters_changed());
  auto result = evaluate(train_, sequences);
  if (displaced != nullptr) MUSTER_TRY_STATUS(displaced->swap());
  if (back) MUSTER_TRY_STATUS(swap_with_undo());
  if (moved) MUSTER_TRY_STATUS(model_->parameters_changed());
  return result;
}

Result<std::vector<double>> CardLossProbe::products(
    std::span<const protocol::Window> windows,
    std::span<const compression::SparseUpdate* const> updates) {
  const auto groups = state::tensor_groups(state::layout_of(config_.model));
  MUSTER_TRY(const auto multiplied, card_->make_products(updates, groups));
  const auto move = [this]() -> Status {
    if (last_step_ == nullptr) return {};
    MUSTER_TRY_STATUS(swap_with_undo());
    return model_->parameters_changed();
  };
  std::vector<double> products;
  std::vector<std::int32_t> tokens(config_.model.context + std::size_t{1});
  const auto fill = [&]() -> Status {
    for (const protocol::Window& window : windows) {
      MUSTER_TRY_STATUS(train_.read(std::span(&window.sequence, 1), tokens));
      MUSTER_TRY_STATUS(model_->compute_window_gradient(tokens, window.first, window.end));
      MUSTER_TRY(const auto sums, multiplied->multiply(model_->gradient()));
      products.insert(products.end(), sums.begin(), sums.end());
    }
    return {};
  };
  MUSTER_TRY_STATUS(move());
  Status filled = fill();
  MUSTER_TRY_STATUS(move());
  MUSTER_TRY_STATUS(std::move(filled));
  return products;
}

Result<double> CardLossProbe::held_out_loss() {
  std::vector<std::uint64_t> ids(
      std::min<std::uint64_t>(config_.held_out_sequences, held_out_.sequences()));
  // Spread over the whole set, so that few sequences still see all of it.
  for (std::size_t i = 0; i < ids.size(); ++i) ids[i] = i * held_out_.sequences() / ids.size();
  MUSTER_TRY(const auto losses, evaluate(held_out_, ids));
  return std::accumulate(losses.begin(), losses.end(), 0.0) / static_cast<double>(losses.size());
}

Status CardLossProbe::apply(const compression::SparseUpdate& aggregate) {
  last_step_.reset();
  MUSTER_TRY(last_step_,
             card_->displace(model_->parameters(), aggregate, config_.outer_learning_rate));
  MUSTER_TRY_STATUS(model_->parameters_changed());
  return model_->parameters().read(host_theta_);
}

Status CardLossProbe::set_parameters(std::span<const float> parameters) {
  if (parameters.size() != host_theta_.size())
    return Error{Errc::kInvalidArgument, "parameters of another model"};
  last_step_.reset();
  MUSTER_TRY_STATUS(model_->parameters().write(parameters));
  MUSTER_TRY_STATUS(model_->parameters_changed());
  std::ranges::copy(parameters, host_theta_.begin());
  return {};
}

}  // namespace muster::trainer
