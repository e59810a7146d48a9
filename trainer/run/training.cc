#include "trainer/run/training.h"

#include <algorithm>

#include "trainer/run/guarded_step.h"

namespace muster::trainer {
namespace {

BatchStream::IdSource ids_from(std::uint64_t position, std::uint64_t seed, const DataSet& data) {
  return [order = DataOrder(seed, data.sequences()), position](std::span<std::uint64_t> ids) mutable {
    order.fill(position, ids);
    position += ids.size();
    return true;
  };
}

}  // namespace

Training::Training(const TrainingConfig& config, Llama& engine, const DataSet& data, Team& team,
                   std::vector<float> theta)
    : config_(config),
      engine_(engine),
      data_(data),
      team_(team),
      optimizer_(make_optimizer(config.optimizer, state::layout_of(config.model), team)),
      guard_(config.guard),
      theta_(std::move(theta)),
      gradient_(theta_.size()) {}

Result<StepReport> Training::step() {
  if (!batches_) batches_ = std::make_unique<BatchStream>(data_, ids_from(sequences_, config_.seed, data_), config_.batch);
  std::ranges::fill(gradient_, 0.0f);
  double loss = 0;
  for (std::uint32_t pass = 0; pass < config_.accumulate; ++pass) {
    MUSTER_TRY(const auto tokens, batches_->next());
    sequences_ += config_.batch;
    loss += engine_.add_gradient(theta_, tokens, 1.0f / static_cast<float>(config_.accumulate), gradient_);
  }
  StepReport report{.step = step_ + 1,
                    .tokens = (step_ + 1) * config_.tokens_per_step(),
                    .loss = loss / config_.accumulate,
                    .learning_rate = learning_rate(config_.schedule, step_)};
  const GuardedStep taken = guarded_step(guard_, *optimizer_, team_, theta_, gradient_, report.loss,
                                         report.learning_rate, config_.gradient_clip);
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
  head.optimizer_steps = optimizer_->steps();
  head.guard = guard_.state();
  return head;
}

std::vector<NamedState> Training::arrays() {
  auto arrays = optimizer_->state();
  arrays.insert(arrays.begin(), {"theta", theta_});
  return arrays;
}

Status Training::restore(const CheckpointFile& file) {
  MUSTER_TRY_STATUS(file.restore(arrays()));
  const CheckpointHead& head = file.head();
  step_ = head.step;
  sequences_ = head.sequences;
  batches_.reset();
  optimizer_->set_steps(head.optimizer_steps);
  guard_ = LossGuard(config_.guard, head.guard);
  return {};
}

}  // namespace muster::trainer
