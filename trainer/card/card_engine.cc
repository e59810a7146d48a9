#include "trainer/card/card_engine.h"

#include <algorithm>
#include <cstring>
#include <optional>

#include "compression/selection.h"
#include "trainer/card/card_learner.h"
#include "trainer/ranks/shard_plan.h"

namespace muster::trainer {
namespace {

std::span<float> on_card(gpu::FloatArray* array) {
  return array == nullptr ? std::span<float>() : std::span(array->device_data(), array->size());
}

class CardEngine final : public RoundEngine {
 public:
  CardEngine(const TrainerConfig& config, std::shared_ptr<gpu::Card> card, CardRank rank)
      : config_(config), card_(std::move(card)), ranks_(std::move(rank)) {}

  Status reserve() {
    const auto layout = state::layout_of(config_.model);
    const unsigned ranks = is_alone() ? 1 : ranks_.of_hosts->size();
    rank_ = is_alone() ? 0 : ranks_.of_hosts->rank();
    plan_ = make_shard_plan(layout, config_.optimizer.kind, ranks);
    task_ = card_task(config_);
    task_.batch = (config_.batch + ranks - 1) / ranks;
    gpu::ShardSettings shard;
    if (!is_alone())
      shard = {.collective = ranks_.of_cards.get(),
               .owned = plan_.optimized,
               .shards_parameters = config_.shards_parameters};
    MUSTER_TRY(model_, make_card_model(*card_, task_, true, shard));
    const Range optimized = plan_.optimized[rank_], compressed = plan_.compressed[rank_];
    if (!optimized.empty()) {
      MUSTER_TRY(theta_, card_->make_array(optimized.size()));
      if (!is_alone()) {
        MUSTER_TRY(delta_, card_->make_array(optimized.size()));
      }
    }
    if (compressed.empty()) return {};
    segments_ = slice(layout, compressed);
    MUSTER_TRY(feedback_, card_->make_error_feedback(*segments_));
    return {};
  }

  Status begin(std::span<const float> theta) override {
    if (theta_ != nullptr) {
      MUSTER_TRY_STATUS(theta_->write(part_of(theta, plan_.optimized[rank_])));
      MUSTER_TRY_STATUS(card_->copy(*theta_, model_->parameters()));
    }
    return model_->parameters_changed();
  }

  Result<LearnerStep> step(const Batch& batch, double learning_rate, double clip,
                           LossGuard& guard) override {
    gpu::SharedBatch shared;
    if (!is_alone()) {
      const std::uint64_t at_once = sequences_at_once(task_),
                          largest =
                              (batch.of_all + plan_.optimized.size() - 1) / plan_.optimized.size();
      shared = {.sequences = batch.of_all,
                .passes = static_cast<std::uint32_t>((largest + at_once - 1) / at_once)};
    }
    return guarded_card_step(*model_, batch.tokens, learning_rate, clip, guard, optimizer_steps_,
                             shared);
  }

  Result<bool> end() override {
    if (is_alone()) return card_->subtract(*theta_, model_->parameters(), feedback_->delta());
    double spoilt = 0;
    if (theta_ != nullptr) {
      MUSTER_TRY(const bool is_finite, card_->subtract(*theta_, model_->parameters(), *delta_));
      spoilt = is_finite ? 0 : 1;
    }
    MUSTER_TRY_STATUS(ranks_.of_cards->reshare(
        on_card(delta_.get()), plan_.optimized,
        on_card(feedback_ == nullptr ? nullptr : &feedback_->delta()), plan_.compressed));
    std::vector<double> all(ranks_.of_hosts->size());
    MUSTER_TRY_STATUS(ranks_.of_hosts->share({&spoilt, 1}, all));
    return std::ranges::all_of(all, [](double it) { return it == 0; });
  }

  Result<std::vector<Bytes>> encode(const compression::PayloadFormat& format) override {
    if (feedback_ == nullptr) return std::vector<Bytes>();
    MUSTER_TRY(const compression::Selection selection, feedback_->select(format));
    MUSTER_TRY(auto payload, compression::payload_of(*segments_, selection, config_.threads));
    return std::move(payload.segments);
  }

  Status settle(protocol::Settlement settlement) override {
    if (feedback_ == nullptr) return {};
    const float beta = config_.error_feedback_decay;
    if (!feedback_->is_pending() || settlement == protocol::Settlement::kMissed)
      return feedback_->settle_missed(beta);
    if (settlement == protocol::Settlement::kDelivered) return feedback_->settle_delivered(beta);
    return feedback_->settle_kept(beta);
  }

  Result<EngineState> state() override {
    EngineState state{.optimizer_steps = optimizer_steps_,
                      .optimizer = {},
                      .residual = {},
                      .delta = {},
                      .feedback = {}};
    const auto memory = arrays();
    copies_.resize(memory.size());
    for (std::size_t i = 0; i < memory.size(); ++i) {
      MUSTER_TRY_STATUS(read(*memory[i].values, copies_[i]));
      state.optimizer.push_back({memory[i].name, copies_[i]});
    }
    if (feedback_ == nullptr) return state;
    MUSTER_TRY(gpu::FloatArray * owed, feedback_->residual());
    MUSTER_TRY_STATUS(read(*owed, residual_copy_));
    state.residual = residual_copy_;
    MUSTER_TRY(state.feedback, feedback_->state());
    if (state.feedback.pending) {
      MUSTER_TRY_STATUS(read(feedback_->delta(), delta_copy_));
      state.delta = delta_copy_;
    }
    return state;
  }

  Status restore(const EngineState& state) override {
    const auto memory = arrays();
    for (std::size_t i = 0; i < memory.size(); ++i)
      MUSTER_TRY_STATUS(memory[i].values->write(state.optimizer[i].values));
    optimizer_steps_ = state.optimizer_steps;
    if (feedback_ == nullptr) return {};
    MUSTER_TRY(gpu::FloatArray * residual, feedback_->residual());
    MUSTER_TRY_STATUS(residual->write(state.residual));
    if (state.feedback.pending) MUSTER_TRY_STATUS(feedback_->delta().write(state.delta));
    return feedback_->restore(state.feedback);
  }

 private:
  [[nodiscard]] bool is_alone() const { return ranks_.of_hosts == nullptr; }
  // What the optimizer remembers of this rank's range.
  [[nodiscard]] std::vector<gpu::NamedArray> arrays() {
    return theta_ == nullptr ? std::vector<gpu::NamedArray>() : model_->optimizer_arrays();
  }
  static Status read(const gpu::FloatArray& from, std::vector<float>& to) {
    to.resize(from.size());
    return from.read(to);
  }

  TrainerConfig config_;
  CardTask task_;
  std::shared_ptr<gpu::Card> card_;  // outlives what it made
  CardRank ranks_;                   // outlives the model
  unsigned rank_ = 0;
  ShardPlan plan_;
  std::unique_ptr<gpu::Model> model_;  // its parameters: the working copy, this rank's range of it
  std::unique_ptr<gpu::FloatArray>
      theta_;  // the same range of θ; null: this rank optimizes nothing
  std::unique_ptr<gpu::FloatArray> delta_;  // and of Δ, before it goes to who compresses it
  std::optional<compression::Layout> segments_;
  std::unique_ptr<gpu::ErrorFeedback> feedback_;  // null: this rank codes nothing
  std::uint64_t optimizer_steps_ = 0;
  std::vector<std::vector<float>> copies_;         // for the host: the optimizer's arrays
  std::vector<float> residual_copy_, delta_copy_;  // for the host
};

}  // namespace

Result<CardRank> join_cards(const gpu::Cards& cards, gpu::Card& card, Collective& of_hosts) {
  gpu::GroupId group;
  constexpr std::size_t kNumbers = sizeof(group.bytes) / sizeof(double);
  std::vector<double> mine(1 + kNumbers), all(mine.size() * of_hosts.size());
  Status made;
  if (of_hosts.rank() == 0) {
    auto id = cards.make_group_id();
    if (id)
      group = *id;
    else
      made = std::move(id).error();
    mine[0] = made ? 1 : 0;
    std::memcpy(mine.data() + 1, group.bytes.data(), group.bytes.size());
  }
  // The others learn of a failure, too, before they wait for a group that never comes.
  MUSTER_TRY_STATUS(of_hosts.share(mine, all));
  MUSTER_TRY_STATUS(std::move(made));
  if (all[0] == 0) return Error{Errc::kClosed, "rank 0 could not make a group of cards"};
  std::memcpy(group.bytes.data(), all.data() + 1, group.bytes.size());
  MUSTER_TRY(auto of_cards, card.join(group, of_hosts.rank(), of_hosts.size()));
  return CardRank{std::move(of_cards), &of_hosts};
}

Result<std::unique_ptr<RoundEngine>> make_card_engine(const TrainerConfig& config,
                                                      std::shared_ptr<gpu::Card> card,
                                                      CardRank rank) {
  auto engine = std::make_unique<CardEngine>(config, std::move(card), std::move(rank));
  MUSTER_TRY_STATUS(engine->reserve());
  return std::unique_ptr<RoundEngine>(std::move(engine));
}

}  // namespace muster::trainer
