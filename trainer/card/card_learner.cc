#include "trainer/card/card_learner.h"

namespace muster::trainer {
namespace {

class CardLearner final : public Learner {
 public:
  CardLearner(std::shared_ptr<gpu::Card> card, std::unique_ptr<gpu::Model> model,
              const CardTask& task)
      : card_(std::move(card)), model_(std::move(model)), path_(card_path(*card_, task)) {}

  // Batches are all of one size, so that what the card's passes share out is the mean.
  void add_pass(std::span<const std::int32_t> tokens, float) override {
    tokens_.insert(tokens_.end(), tokens.begin(), tokens.end());
  }
  Result<LearnerStep> finish_step(double learning_rate, double clip, LossGuard& guard) override {
    auto taken = guarded_card_step(*model_, tokens_, learning_rate, clip, guard, steps_);
    tokens_.clear();
    return taken;
  }
  Status losses(std::span<const std::int32_t> tokens, std::span<float> losses) override {
    return model_->losses(tokens, losses);
  }

  Result<std::vector<NamedState>> arrays() override {
    MUSTER_TRY_STATUS(read(model_->parameters(), theta_));
    std::vector<NamedState> arrays{{"theta", theta_}};
    const auto on_card = model_->optimizer_arrays();
    memory_.resize(on_card.size());
    for (std::size_t i = 0; i < on_card.size(); ++i) {
      MUSTER_TRY_STATUS(read(*on_card[i].values, memory_[i]));
      arrays.push_back({on_card[i].name, memory_[i]});
    }
    return arrays;
  }
  Status arrays_changed(std::uint64_t optimizer_steps) override {
    MUSTER_TRY_STATUS(model_->parameters().write(theta_));
    const auto on_card = model_->optimizer_arrays();
    for (std::size_t i = 0; i < on_card.size(); ++i)
      MUSTER_TRY_STATUS(on_card[i].values->write(memory_[i]));
    steps_ = optimizer_steps;
    return model_->parameters_changed();
  }
  std::uint64_t optimizer_steps() const override { return steps_; }
  Result<std::span<const float>> theta() override {
    MUSTER_TRY_STATUS(read(model_->parameters(), theta_));
    return std::span<const float>(theta_);
  }
  double flops_per_token() const override { return trainer::flops_per_token(model_->spec()); }
  std::string path() const override { return path_; }

 private:
  static Status read(const gpu::FloatArray& from, std::vector<float>& to) {
    to.resize(from.size());
    return from.read(to);
  }

  std::shared_ptr<gpu::Card> card_;  // outlives the model
  std::unique_ptr<gpu::Model> model_;
  std::string path_;
  std::uint64_t steps_ = 0;
  std::vector<std::int32_t> tokens_;        // of the step's passes so far
  std::vector<float> theta_;                // copies for the host
  std::vector<std::vector<float>> memory_;  // of what the optimizer remembers
};

}  // namespace

Result<LearnerStep> guarded_card_step(gpu::Model& model, std::span<const std::int32_t> tokens,
                                      double learning_rate, double clip, LossGuard& guard,
                                      std::uint64_t& steps, const gpu::SharedBatch& batch) {
  const LossGuard::Limits limits = guard.limits();
  MUSTER_TRY(const gpu::StepOutcome outcome,
             model.step(tokens, {.learning_rate = static_cast<float>(learning_rate),
                                 .number = steps + 1,
                                 .clip = static_cast<float>(clip),
                                 .loss_limit = limits.loss,
                                 .norm_limit = limits.norm,
                                 .batch = batch}));
  const LearnerStep taken{outcome.loss, outcome.gradient_norm,
                          guard.judge(outcome.loss, outcome.gradient_norm)};
  MUSTER_CHECK(outcome.applied == (taken.verdict == Verdict::kApply), "card and guard judge alike");
  if (outcome.applied) ++steps;
  return taken;
}

Result<std::unique_ptr<Learner>> make_card_learner(std::shared_ptr<gpu::Card> card,
                                                   const CardTask& task,
                                                   std::span<const float> theta) {
  MUSTER_TRY(auto model, make_card_model(*card, task, true));
  MUSTER_TRY_STATUS(model->parameters().write(theta));
  MUSTER_TRY_STATUS(model->parameters_changed());
  return std::unique_ptr<Learner>(
      std::make_unique<CardLearner>(std::move(card), std::move(model), task));
}

}  // namespace muster::trainer
