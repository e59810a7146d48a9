#include "trainer/loss_probe.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace muster::trainer {
namespace {

constexpr std::size_t kSequencesAtOnce = 32;

}  // namespace

LlamaLossProbe::LlamaLossProbe(const TrainerConfig& config, DataSet train, DataSet held_out,
                               std::unique_ptr<Team> team, std::unique_ptr<Llama> llama,
                               std::span<const float> parameters)
    : config_(config),
      train_(std::move(train)),
      held_out_(std::move(held_out)),
      team_(std::move(team)),
      llama_(std::move(llama)),
      groups_(state::tensor_groups(state::layout_of(config.model))),
      theta_(parameters.begin(), parameters.end()) {}

Status LlamaLossProbe::compute_gradient(std::span<const std::uint64_t> sequences) {
  gradient_.assign(theta_.size(), 0.0f);
  const auto total = static_cast<double>(sequences.size());
  while (!sequences.empty()) {
    const auto part = sequences.first(std::min(sequences.size(), kSequencesAtOnce));
    tokens_.resize(part.size() * (config_.model.context + std::size_t{1}));
    MUSTER_TRY_STATUS(train_.read(part, tokens_));
    llama_->add_gradient(theta_, tokens_,
                         static_cast<float>(static_cast<double>(part.size()) / total), gradient_);
    sequences = sequences.subspan(part.size());
  }
  double square = 0;
  for (float g : gradient_) square += static_cast<double>(g) * static_cast<double>(g);
  gradient_norm_ = std::sqrt(square);
  return {};
}

double LlamaLossProbe::gradient_cosine(const compression::SparseUpdate& update) const {
  MUSTER_CHECK(!gradient_.empty(), "a cosine before any gradient");
  double dot = 0;
  for (std::size_t i = 0; i < update.indices.size(); ++i)
    dot +=
        static_cast<double>(update.values[i]) * static_cast<double>(gradient_[update.indices[i]]);
  const double norms = gradient_norm_ * compression::norm(update);
  return norms > 0 ? dot / norms : 0;
}

void LlamaLossProbe::swap_with_undo() {
  for (std::size_t i = 0; i < undo_.indices.size(); ++i)
    std::swap(theta_[undo_.indices[i]], undo_.values[i]);
}

Result<std::vector<float>> LlamaLossProbe::evaluate(const DataSet& data,
                                                    std::span<const std::uint64_t> sequences) {
  std::vector<float> losses(sequences.size());
  for (std::size_t first = 0; first < sequences.size(); first += kSequencesAtOnce) {
    const std::size_t count = std::min(kSequencesAtOnce, sequences.size() - first);
    tokens_.resize(count * (config_.model.context + std::size_t{1}));
    MUSTER_TRY_STATUS(data.read(sequences.subspan(first, count), tokens_));
    llama_->losses(theta_, tokens_, std::span(losses).subspan(first, count));
  }
  return losses;
}

Result<std::vector<float>> LlamaLossProbe::losses(protocol::ProbePoint point,
                                                  const compression::SparseUpdate* update,
                                                  float scale,
                                                  std::span<const std::uint64_t> sequences) {
  const bool back = point == protocol::ProbePoint::kPrevious;
  if (back) swap_with_undo();
  state::UndoLog displaced;
  if (update != nullptr) displaced = state::outer_step_with_undo(theta_, *update, scale);
  auto result = evaluate(train_, sequences);
  state::undo(theta_, displaced);
  if (back) swap_with_undo();
  return result;
}

Result<std::vector<double>> LlamaLossProbe::products(
    std::span<const protocol::Window> windows,
    std::span<const compression::SparseUpdate* const> updates) {
  std::vector<double> products(windows.size() * updates.size() * groups_.count);
  std::span<double> left(products);
  tokens_.resize(config_.model.context + std::size_t{1});
  swap_with_undo();
  const auto fill = [&]() -> Status {
    for (const protocol::Window& window : windows) {
      MUSTER_TRY_STATUS(train_.read(std::span(&window.sequence, 1), tokens_));
      window_gradient_.assign(theta_.size(), 0.0f);
      llama_->add_window_gradient(theta_, tokens_, window.first, window.end, window_gradient_);
      for (const compression::SparseUpdate* update : updates) {
        state::multiply_by_group(groups_, *update, window_gradient_, left.first(groups_.count));
        left = left.subspan(groups_.count);
      }
    }
    return {};
  };
  Status filled = fill();
  swap_with_undo();
  MUSTER_TRY_STATUS(std::move(filled));
  return products;
}

Result<double> LlamaLossProbe::held_out_loss() {
  std::vector<std::uint64_t> ids(
      std::min<std::uint64_t>(config_.held_out_sequences, held_out_.sequences()));
  // Spread over the whole set, so that few sequences still see all of it.
  for (std::size_t i = 0; i < ids.size(); ++i) ids[i] = i * held_out_.sequences() / ids.size();
  MUSTER_TRY(const auto losses, evaluate(held_out_, ids));
  return std::accumulate(losses.begin(), losses.end(), 0.0) / static_cast<double>(losses.size());
}

Status LlamaLossProbe::apply(const compression::SparseUpdate& aggregate) {
  undo_ = state::outer_step_with_undo(theta_, aggregate, config_.outer_learning_rate);
  return {};
}

Status LlamaLossProbe::set_parameters(std::span<const float> parameters) {
  if (parameters.size() != theta_.size())
    return Error{Errc::kInvalidArgument, "parameters of another model"};
  std::ranges::copy(parameters, theta_.begin());
  undo_ = {};
  return {};
}

// Without the number of threads: results do not depend on it.
std::string LlamaLossProbe::platform_class() const { return "muster-1/" + llama_->path(); }

}  // namespace muster::trainer
