#include "trainer/card/card_engine.h"

#include <algorithm>

#include "compression/selection.h"
#include "trainer/card/card_learner.h"

namespace muster::trainer {
namespace {

class CardEngine final : public RoundEngine {
 public:
  CardEngine(const TrainerConfig& config, std::shared_ptr<gpu::Card> card)
      : config_(config), layout_(state::layout_of(config.model)), card_(std::move(card)) {}

  Status reserve() {
    MUSTER_TRY(model_, make_card_model(*card_, card_task(config_), true));
    MUSTER_TRY(theta_, card_->make_array(layout_.parameters()));
    MUSTER_TRY(feedback_, card_->make_error_feedback(layout_));
    return {};
  }

  Status begin(std::span<const float> theta) override {
    MUSTER_TRY_STATUS(theta_->write(theta));
    MUSTER_TRY_STATUS(card_->copy(*theta_, model_->parameters()));
    return model_->parameters_changed();
  }
  Result<LearnerStep> step(const Batch& batch, double learning_rate, double clip, LossGuard& guard) override {
    return guarded_card_step(*model_, batch.tokens, learning_rate, clip, guard, optimizer_steps_);
  }
  Result<bool> end() override { return card_->subtract(*theta_, model_->parameters(), feedback_->delta()); }

  Result<std::vector<Bytes>> encode(const compression::PayloadFormat& format) override {
    MUSTER_TRY(const compression::Selection selection, feedback_->select(format));
    MUSTER_TRY(auto payload, compression::payload_of(layout_, selection, config_.threads));
    return std::move(payload.segments);
  }
  Status settle(protocol::Settlement settlement) override {
    const float beta = config_.error_feedback_decay;
    if (!feedback_->is_pending() || settlement == protocol::Settlement::kMissed) return feedback_->settle_missed(beta);
    if (settlement == protocol::Settlement::kDelivered) return feedback_->settle_delivered(beta);
    return feedback_->settle_kept(beta);
  }

  Result<EngineState> state() override {
    const auto memory = model_->optimizer_arrays();
    copies_.resize(memory.size());
    EngineState state{.optimizer_steps = optimizer_steps_, .optimizer = {}, .residual = {}, .delta = {}, .feedback = {}};
    for (std::size_t i = 0; i < memory.size(); ++i) {
      MUSTER_TRY_STATUS(read(*memory[i].values, copies_[i]));
      state.optimizer.push_back({memory[i].name, copies_[i]});
    }
    MUSTER_TRY(gpu::FloatArray* owed, feedback_->residual());
    MUSTER_TRY_STATUS(read(*owed, residual_));
    state.residual = residual_;
    MUSTER_TRY(state.feedback, feedback_->state());
    if (state.feedback.pending) {
      MUSTER_TRY_STATUS(read(feedback_->delta(), delta_));
      state.delta = delta_;
    }
    return state;
  }

  Status restore(const EngineState& state) override {
    const auto memory = model_->optimizer_arrays();
    for (std::size_t i = 0; i < memory.size(); ++i)
      MUSTER_TRY_STATUS(memory[i].values->write(state.optimizer[i].values));
    optimizer_steps_ = state.optimizer_steps;
    MUSTER_TRY(gpu::FloatArray* residual, feedback_->residual());
    MUSTER_TRY_STATUS(residual->write(state.residual));
    if (state.feedback.pending) MUSTER_TRY_STATUS(feedback_->delta().write(state.delta));
    return feedback_->restore(state.feedback);
  }

 private:
  static Status read(const gpu::FloatArray& from, std::vector<float>& to) {
    to.resize(from.size());
    return from.read(to);
  }

  TrainerConfig config_;
  compression::Layout layout_;
  std::shared_ptr<gpu::Card> card_;    // outlives what it made
  std::unique_ptr<gpu::Model> model_;  // its parameters: the working copy
  std::unique_ptr<gpu::FloatArray> theta_;
  std::unique_ptr<gpu::ErrorFeedback> feedback_;
  std::uint64_t optimizer_steps_ = 0;
  std::vector<std::vector<float>> copies_;  // for the host: the optimizer's arrays
  std::vector<float> residual_, delta_;     // for the host
};

}  // namespace

Result<std::unique_ptr<RoundEngine>> make_card_engine(const TrainerConfig& config, std::shared_ptr<gpu::Card> card) {
  auto engine = std::make_unique<CardEngine>(config, std::move(card));
  MUSTER_TRY_STATUS(engine->reserve());
  return std::unique_ptr<RoundEngine>(std::move(engine));
}

}  // namespace muster::trainer
