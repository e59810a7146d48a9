#include "trainer/cpu/cpu_model.h"

#include <algorithm>
#include <cmath>

#include "trainer/optim/gradient_norm.h"

namespace muster::trainer {
namespace {

Range range_of(const model::ModelSettings& settings, std::uint64_t parameters) {
  const Collective* collective = settings.shard.collective;
  return collective == nullptr ? Range{0, parameters} : settings.shard.owned[collective->rank()];
}

}  // namespace

CpuModel::CpuModel(const model::ModelSettings& settings, std::shared_ptr<Llama> llama, Team& team)
    : spec_(settings.spec),
      sequences_(settings.sequences),
      collective_(settings.shard.collective),
      owned_(settings.shard.owned),
      shards_parameters_(settings.shard.shards_parameters),
      team_(team),
      llama_(std::move(llama)),
      working_(is_sharded() ? range_of(settings, 0).size() : llama_->shape().parameters),
      masters_(is_sharded() ? std::span(working_)
                            : part_of(std::span(working_), range_of(settings, working_.size()))),
      gradient_(masters_.size()) {
  const Range own = range_of(settings, llama_->shape().parameters);
  if (settings.has_optimizer && !own.empty()) {
    optimizer_ = make_optimizer(settings.optimizer, slice(state::layout_of(spec_), own), team_);
    for (const NamedState& array : optimizer_->state())
      memory_.push_back({array.name, std::make_unique<model::HostArray>(array.values)});
  }
  if (collective_ != nullptr)
    parts_.emplace(llama_->shape(), *collective_, owned_, shards_parameters_);
}

std::vector<model::NamedArray> CpuModel::optimizer_arrays() {
  std::vector<model::NamedArray> arrays;
  for (const Named& array : memory_) arrays.push_back({array.name, array.values.get()});
  return arrays;
}

Status CpuModel::parameters_changed() {
  if (collective_ == nullptr || is_sharded()) return {};
  return collective_->all_gather(working_, owned_);
}

Status CpuModel::load(std::span<const float> theta) {
  if (is_sharded()) return masters_.write(part_of(theta, owned_[collective_->rank()]));
  std::ranges::copy(theta, working_.begin());
  return {};
}

double CpuModel::add_passes(std::span<const std::int32_t> tokens) {
  const std::size_t count = tokens.size() / row(),
                    at_once = std::min<std::size_t>(sequences_, count);
  double loss = 0;
  for (std::size_t first = 0; first < count; first += at_once) {
    const std::size_t in_pass = std::min(at_once, count - first);
    const double share = static_cast<double>(in_pass) / static_cast<double>(count);
    // Weighted so that passes of one size are simply added up.
    loss += llama_->add_gradient(working_, tokens.subspan(first * row(), in_pass * row()),
                                 static_cast<float>(share), gradient_.values()) *
            (static_cast<double>(in_pass) / static_cast<double>(at_once));
  }
  return loss / (static_cast<double>(count) / static_cast<double>(at_once));
}

Result<model::StepOutcome> CpuModel::gradient_among_ranks(std::span<const std::int32_t> tokens,
                                                          const model::SharedBatch& batch) {
  const std::size_t count = tokens.size() / row();
  const double share = static_cast<double>(count) /
                       static_cast<double>(batch.sequences == 0 ? count : batch.sequences);
  parts_->begin(working_, gradient_.values());
  const double loss = llama_->add_gradient(*parts_, tokens, static_cast<float>(share));
  MUSTER_TRY_STATUS(parts_->finish());
  const double mine[] = {loss * share, sum_squares(gradient_.values(), team_)};
  std::vector<double> all(2 * collective_->size());
  MUSTER_TRY_STATUS(collective_->share(mine, all));
  double total = 0, squares = 0;
  for (std::size_t i = 0; i < all.size(); i += 2) {
    total += all[i];
    squares += all[i + 1];
  }
  return model::StepOutcome{.loss = total, .gradient_norm = std::sqrt(squares)};
}

Result<model::StepOutcome> CpuModel::compute_gradient(std::span<const std::int32_t> tokens,
                                                      const model::SharedBatch& batch) {
  MUSTER_CHECK(!tokens.empty() && tokens.size() % row() == 0,
               "tokens that are not whole sequences");
  std::ranges::fill(gradient_.values(), 0.0f);
  if (collective_ != nullptr) return gradient_among_ranks(tokens, batch);
  const double loss = add_passes(tokens);
  return model::StepOutcome{.loss = loss,
                            .gradient_norm = std::sqrt(sum_squares(gradient_.values(), team_))};
}

Result<model::StepOutcome> CpuModel::step(std::span<const std::int32_t> tokens,
                                          const model::StepSettings& settings) {
  MUSTER_TRY(model::StepOutcome outcome, compute_gradient(tokens, settings.batch));
  outcome.applied =
      std::isfinite(outcome.loss) && std::isfinite(outcome.gradient_norm) &&
      !(outcome.loss > settings.loss_limit && outcome.gradient_norm > settings.norm_limit);
  if (!outcome.applied) return outcome;
  if (optimizer_ != nullptr) {
    optimizer_->set_steps(settings.number - 1);
    optimizer_->step(masters_.values(), gradient_.values(), settings.learning_rate,
                     static_cast<float>(clip_factor(outcome.gradient_norm, settings.clip)));
  }
  MUSTER_TRY_STATUS(parameters_changed());
  return outcome;
}

Status CpuModel::compute_window_gradient(std::span<const std::int32_t> tokens, std::uint32_t first,
                                         std::uint32_t end) {
  MUSTER_CHECK(collective_ == nullptr, "a window of several ranks");
  MUSTER_CHECK(tokens.size() == row(), "the window of one sequence");
  std::ranges::fill(gradient_.values(), 0.0f);
  llama_->add_window_gradient(working_, tokens, first, end, gradient_.values());
  return {};
}

Status CpuModel::losses(std::span<const std::int32_t> tokens, std::span<float> losses) {
  MUSTER_CHECK(tokens.size() == losses.size() * row(), "tokens that are not whole sequences");
  MUSTER_CHECK(!is_sharded(), "losses of a rank that has a part of θ");
  for (std::size_t first = 0; first < losses.size(); first += sequences_) {
    const std::size_t count = std::min<std::size_t>(sequences_, losses.size() - first);
    llama_->losses(working_, tokens.subspan(first * row(), count * row()),
                   losses.subspan(first, count));
  }
  return {};
}

}  // namespace muster::trainer
