#include "trainer/run/training.h"

#include <algorithm>

namespace muster::trainer {
namespace {

BatchStream::IdSource ids_from(std::uint64_t position, std::uint64_t seed, const DataSet& data) {
  return
      [order = DataOrder(seed, data.sequences()), position](std::span<std::uint64_t> ids) mutable {
        order.fill(position, ids);
        position += ids.size();
        return true;
      };
}

}  // namespace

Training::Training(const TrainingConfig& config, std::unique_ptr<Learner> learner,
                   const DataSet& data)
    : config_(config), learner_(std::move(learner)), data_(data), guard_(config.guard) {}

Result<StepReport> Training::step() {
  if (!batches_)
    batches_ = std::make_unique<BatchStream>(data_, ids_from(sequences_, config_.seed, data_),
                                             config_.batch);
  for (std::uint32_t pass = 0; pass < config_.accumulate; ++pass) {
    MUSTER_TRY(const auto tokens, batches_->next());
    sequences_ += config_.batch;
    learner_->add_pass(tokens);
  }
  StepReport report{.step = step_ + 1,
                    .tokens = (step_ + 1) * config_.tokens_per_step(),
                    .learning_rate = learning_rate(config_.schedule, step_)};
  MUSTER_TRY(const LearnerStep taken,
             learner_->finish_step(report.learning_rate, config_.gradient_clip, guard_));
  report.loss = taken.loss;
  report.gradient_norm = taken.gradient_norm;
  report.verdict = taken.verdict;
  ++step_;
  MUSTER_TRY_STATUS(guard_.check(step_, report.loss, report.gradient_norm));
  return report;
}

CheckpointHead Training::head() const {
  CheckpointHead head;
  head.step = step_;
  head.sequences = sequences_;
  head.optimizer_steps = learner_->optimizer_steps();
  head.guard = guard_.state();
  return head;
}

Status Training::restore(const CheckpointFile& file) {
  MUSTER_TRY(const auto arrays, learner_->arrays());
  MUSTER_TRY_STATUS(file.restore(arrays));
  const CheckpointHead& head = file.head();
  MUSTER_TRY_STATUS(learner_->arrays_changed(head.optimizer_steps));
  step_ = head.step;
  sequences_ = head.sequences;
  batches_.reset();
  guard_ = LossGuard(config_.guard, head.guard);
  return {};
}

}  // namespace muster::trainer
