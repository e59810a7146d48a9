#include "trainer/run/learner.h"

namespace muster::trainer {

Result<LearnerStep> guarded_step(model::TrainableModel& model, std::span<const std::int32_t> tokens,
                                 double learning_rate, double clip, LossGuard& guard,
                                 std::uint64_t& steps, const model::SharedBatch& batch) {
  const LossGuard::Limits limits = guard.limits();
  MUSTER_TRY(const model::StepOutcome outcome, model.step(tokens, {.learning_rate = learning_rate,
                                                                   .number = steps + 1,
                                                                   .clip = clip,
                                                                   .loss_limit = limits.loss,
                                                                   .norm_limit = limits.norm,
                                                                   .batch = batch}));
  const LearnerStep taken{outcome.loss, outcome.gradient_norm,
                          guard.judge(outcome.loss, outcome.gradient_norm)};
  MUSTER_CHECK(outcome.applied == (taken.verdict == Verdict::kApply),
               "model and guard judge alike");
  if (outcome.applied) ++steps;
  return taken;
}

Result<std::unique_ptr<Learner>> Learner::make(std::shared_ptr<model::Device> device,
                                               const model::ModelSettings& settings,
                                               std::span<const float> theta) {
  MUSTER_TRY(auto model, device->make_model(settings));
  MUSTER_TRY_STATUS(model->load(theta));
  return std::unique_ptr<Learner>(new Learner(std::move(device), std::move(model)));
}

Result<LearnerStep> Learner::finish_step(double learning_rate, double clip, LossGuard& guard) {
  auto taken = guarded_step(*model_, tokens_, learning_rate, clip, guard, steps_);
  tokens_.clear();
  return taken;
}

Result<std::vector<NamedState>> Learner::arrays() {
  MUSTER_TRY(const std::span<float> theta, model_->parameters().on_host(theta_));
  arrays_ = {{"theta", theta}};
  const auto memory = model_->optimizer_arrays();
  room_.resize(memory.size());
  for (std::size_t i = 0; i < memory.size(); ++i) {
    MUSTER_TRY(const std::span<float> values, memory[i].values->on_host(room_[i]));
    arrays_.push_back({memory[i].name, values});
  }
  return arrays_;
}

Status Learner::arrays_changed(std::uint64_t optimizer_steps) {
  MUSTER_CHECK(!arrays_.empty(), "a change of arrays that nobody has");
  MUSTER_TRY_STATUS(model_->parameters().write(arrays_.front().values));
  const auto memory = model_->optimizer_arrays();
  for (std::size_t i = 0; i < memory.size(); ++i)
    MUSTER_TRY_STATUS(memory[i].values->write(arrays_[i + 1].values));
  steps_ = optimizer_steps;
  return model_->parameters_changed();
}

Result<std::span<const float>> Learner::theta() {
  MUSTER_TRY(const std::span<float> theta, model_->parameters().on_host(theta_));
  return std::span<const float>(theta);
}

}  // namespace muster::trainer
