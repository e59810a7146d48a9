#include "trainer/rounds/host_engine.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include "trainer/optim/gradient_norm.h"
#include "trainer/ranks/shard_plan.h"
#include "trainer/ranks/sharded_parts.h"

namespace muster::trainer {
namespace {

class HostEngine final : public RoundEngine {
 public:
  HostEngine(const TrainerConfig& config, std::unique_ptr<Team> team, std::unique_ptr<Llama> llama,
             Collective* collective)
      : config_(config),
        team_(std::move(team)),
        llama_(std::move(llama)),
        collective_(collective),
        rank_(collective == nullptr ? 0 : collective->rank()) {
    const auto layout = state::layout_of(config.model);
    plan_ = make_shard_plan(layout, config.optimizer.kind,
                            collective == nullptr ? 1 : collective->size());
    const Range optimized = plan_.optimized[rank_], compressed = plan_.compressed[rank_];
    gradient_.resize(optimized.size());
    if (!optimized.empty())
      optimizer_ = make_optimizer(config.optimizer, slice(layout, optimized), *team_);
    if (!compressed.empty()) segments_ = slice(layout, compressed);
    first_.resize(compressed.size());
    second_.resize(compressed.size());
    feedback_ = compression::ErrorFeedback(first_, second_);
    if (collective != nullptr)
      parts_.emplace(llama_->shape(), *collective, plan_.optimized, config.shards_parameters);
  }

  Status begin(std::span<const float> theta) override {
    theta_ = theta;
    const auto kept = is_sharded() ? part_of(theta, plan_.optimized[rank_]) : theta;
    working_.assign(kept.begin(), kept.end());
    return {};
  }

  Result<LearnerStep> step(const Batch& batch, double learning_rate, double clip,
                           LossGuard& guard) override {
    std::ranges::fill(gradient_, 0.0f);
    LearnerStep taken;
    if (collective_ == nullptr) {
      taken.loss = llama_->add_gradient(working_, batch.tokens, 1, gradient_);
      taken.gradient_norm = std::sqrt(sum_squares(gradient_, *team_));
    } else {
      MUSTER_TRY(taken, gradient_among_ranks(batch));
    }
    taken.verdict = guard.judge(taken.loss, taken.gradient_norm);
    if (taken.verdict != Verdict::kApply) return taken;
    ++optimizer_steps_;
    if (optimizer_ != nullptr)
      optimizer_->step(masters(), gradient_, learning_rate,
                       static_cast<float>(clip_factor(taken.gradient_norm, clip)));
    if (collective_ != nullptr && !is_sharded())
      MUSTER_TRY_STATUS(collective_->all_gather(working_, plan_.optimized));
    return taken;
  }

  Result<bool> end() override {
    const auto from = part_of(theta_, plan_.optimized[rank_]);
    const auto trained = masters();
    // The gradient's room has the size, and is free until the next step.
    const auto delta = collective_ == nullptr ? feedback_.delta() : std::span(gradient_);
    double spoilt = 0;
    for (std::size_t i = 0; i < delta.size(); ++i) {
      delta[i] = from[i] - trained[i];
      if (!std::isfinite(delta[i])) spoilt = 1;
    }
    if (collective_ == nullptr) return spoilt == 0;
    MUSTER_TRY_STATUS(
        collective_->reshare(delta, plan_.optimized, feedback_.delta(), plan_.compressed));
    std::vector<double> all(collective_->size());
    MUSTER_TRY_STATUS(collective_->share({&spoilt, 1}, all));
    return std::ranges::all_of(all, [](double it) { return it == 0; });
  }

  Result<std::vector<Bytes>> encode(const compression::PayloadFormat& format) override {
    if (!segments_) return std::vector<Bytes>();
    MUSTER_TRY(auto payload, feedback_.compress(*segments_, format, config_.threads));
    return std::move(payload.segments);
  }

  Status settle(protocol::Settlement settlement) override {
    const float beta = config_.error_feedback_decay;
    if (!feedback_.is_pending() || settlement == protocol::Settlement::kMissed) {
      feedback_.settle_missed(beta);
    } else if (settlement == protocol::Settlement::kDelivered) {
      feedback_.settle_delivered(beta);
    } else {
      feedback_.settle_kept(beta);
    }
    return {};
  }

  Result<EngineState> state() override {
    EngineState state{.optimizer_steps = optimizer_steps_,
                      .optimizer = {},
                      .residual = feedback_.residual(),
                      .delta = {},
                      .feedback = feedback_.state()};
    if (state.feedback.pending) state.delta = feedback_.delta();
    if (optimizer_ != nullptr)
      for (const NamedState& array : optimizer_->state())
        state.optimizer.push_back({array.name, array.values});
    return state;
  }

  Status restore(const EngineState& state) override {
    optimizer_steps_ = state.optimizer_steps;
    if (optimizer_ != nullptr) {
      const auto memory = optimizer_->state();
      for (std::size_t i = 0; i < memory.size(); ++i)
        std::ranges::copy(state.optimizer[i].values, memory[i].values.begin());
      optimizer_->set_steps(state.optimizer_steps);
    }
    std::ranges::copy(state.residual, first_.begin());
    std::ranges::copy(state.delta, second_.begin());
    feedback_ = compression::ErrorFeedback(first_, second_);
    feedback_.restore(state.feedback);
    return {};
  }

 private:
  [[nodiscard]] bool is_sharded() const {
    return collective_ != nullptr && config_.shards_parameters;
  }
  // Of the working copy, what this rank optimizes.
  [[nodiscard]] std::span<float> masters() {
    return is_sharded() ? std::span(working_)
                        : part_of(std::span(working_), plan_.optimized[rank_]);
  }

  Result<LearnerStep> gradient_among_ranks(const Batch& batch) {
    parts_->begin(working_, gradient_);
    const double share = static_cast<double>(batch.sequences) / static_cast<double>(batch.of_all);
    const double loss = llama_->add_gradient(*parts_, batch.tokens, static_cast<float>(share));
    MUSTER_TRY_STATUS(parts_->finish());
    const double mine[] = {loss * share, sum_squares(gradient_, *team_)};
    std::vector<double> all(2 * collective_->size());
    MUSTER_TRY_STATUS(collective_->share(mine, all));
    double total = 0, squares = 0;
    for (std::size_t i = 0; i < all.size(); i += 2) {
      total += all[i];
      squares += all[i + 1];
    }
    return LearnerStep{.loss = total, .gradient_norm = std::sqrt(squares)};
  }

  TrainerConfig config_;
  std::unique_ptr<Team> team_;
  std::unique_ptr<Llama> llama_;
  Collective* collective_;
  unsigned rank_;
  ShardPlan plan_;
  std::unique_ptr<Optimizer> optimizer_;  // null: this rank optimizes nothing
  std::uint64_t optimizer_steps_ = 0;
  std::optional<compression::Layout> segments_;  // none: this rank codes nothing
  std::span<const float> theta_;                 // of this round
  std::vector<float> working_;   // all parameters, or, sharded, those that this rank optimizes
  std::vector<float> gradient_;  // of those that this rank optimizes
  std::vector<float> first_, second_;  // error feedback and Δ, which take turns
  compression::ErrorFeedback feedback_{{}, {}};
  std::optional<ShardedParts> parts_;  // among ranks
};

}  // namespace

Result<std::unique_ptr<RoundEngine>> make_host_engine(const TrainerConfig& config,
                                                      Collective* collective) {
  auto team = std::make_unique<Team>(config.threads);
  MUSTER_TRY(auto llama, Llama::make(config.model, config.compute, *team));
  return std::unique_ptr<RoundEngine>(
      std::make_unique<HostEngine>(config, std::move(team), std::move(llama), collective));
}

}  // namespace muster::trainer
