#include "trainer/card/card_inner_loop.h"

#include <algorithm>
#include <utility>

#include "compression/selection.h"
#include "trainer/card/card_learner.h"
#include "trainer/trainer_state.h"

namespace muster::trainer {
namespace {

Result<std::vector<float>> read(const gpu::FloatArray& array) {
  std::vector<float> values(array.size());
  MUSTER_TRY_STATUS(array.read(values));
  return values;
}

}  // namespace

Result<std::unique_ptr<protocol::InnerLoop>> CardInnerLoop::make(const TrainerConfig& config, DataSet data,
                                                                 std::shared_ptr<gpu::Card> card,
                                                                 std::span<const float> parameters) {
  std::unique_ptr<CardInnerLoop> loop(new CardInnerLoop(config, std::move(data), std::move(card)));
  MUSTER_TRY(loop->model_, make_card_model(*loop->card_, card_task(config), true));
  MUSTER_TRY(loop->theta_, loop->card_->make_array(loop->layout_.parameters()));
  MUSTER_TRY(loop->feedback_, loop->card_->make_error_feedback(loop->layout_));
  loop->host_theta_.resize(loop->layout_.parameters());
  MUSTER_TRY_STATUS(loop->set_parameters(parameters));
  return std::unique_ptr<protocol::InnerLoop>(std::move(loop));
}

Result<protocol::TrainReport> CardInnerLoop::train(const protocol::TrainTask& task, const std::atomic<bool>& stop,
                                                   const std::function<void(std::uint32_t)>& progress) {
  MUSTER_TRY_STATUS(std::exchange(fault_, Status()));
  MUSTER_TRY_STATUS(card_->copy(*theta_, model_->parameters()));
  MUSTER_TRY_STATUS(model_->parameters_changed());
  protocol::TrainReport report;
  // As LlamaInnerLoop: only what is not finite is skipped.
  LossGuard guard({.spike_sd = 0});
  const std::span<const std::uint64_t> sequences(task.sequences);
  const std::size_t batch = task.inner_steps == 0 ? 0 : sequences.size() / task.inner_steps;
  tokens_.resize(batch * (config_.model.context + std::size_t{1}));
  for (std::uint32_t step = 0; step < task.inner_steps; ++step) {
    if (stop) return Error{Errc::kCancelled, "training stopped"};
    MUSTER_TRY_STATUS(data_.read(sequences.subspan(step * batch, batch), tokens_));
    const std::uint64_t number = task.round.value * task.inner_steps + step;
    MUSTER_TRY(const LearnerStep taken,
               guarded_card_step(*model_, tokens_, learning_rate(config_.schedule, number), config_.gradient_clip,
                                 guard, optimizer_steps_));
    if (taken.verdict != Verdict::kApply) {
      MUSTER_TRY_STATUS(guard.check(number, taken.loss, taken.gradient_norm));
      ++report.skipped_steps;
    } else {
      report.mean_loss += taken.loss;
    }
    progress(step);
  }
  if (report.skipped_steps == task.inner_steps && task.inner_steps > 0)
    return Error{Errc::kNonFinite, "no step of round " + std::to_string(task.round.value) + " had a finite loss"};
  report.mean_loss /= std::max(1u, task.inner_steps - report.skipped_steps);
  report.inner_steps = task.inner_steps;
  report.sequences_used = static_cast<std::uint32_t>(sequences.size());
  MUSTER_TRY(has_delta_, card_->subtract(*theta_, model_->parameters(), feedback_->delta()));
  if (!has_delta_)
    return Error{Errc::kNonFinite, "training diverged in round " + std::to_string(task.round.value)};
  return report;
}

Result<compression::Payload> CardInnerLoop::encode(const compression::PayloadFormat& format) {
  MUSTER_CHECK(std::exchange(has_delta_, false), "encode without training");
  MUSTER_TRY(const compression::Selection selection, feedback_->select(format));
  return compression::payload_of(layout_, selection, config_.threads);
}

void CardInnerLoop::settle(protocol::Settlement settlement) {
  const float beta = config_.error_feedback_decay;
  has_delta_ = false;
  Status settled;
  if (!feedback_->is_pending() || settlement == protocol::Settlement::kMissed) {
    settled = feedback_->settle_missed(beta);
  } else if (settlement == protocol::Settlement::kDelivered) {
    settled = feedback_->settle_delivered(beta);
  } else {
    settled = feedback_->settle_kept(beta);
  }
  if (fault_) fault_ = std::move(settled);
}

Status CardInnerLoop::apply(const compression::SparseUpdate& aggregate) {
  MUSTER_TRY_STATUS(std::exchange(fault_, Status()));
  MUSTER_TRY(const auto displacement, card_->displace(*theta_, aggregate, config_.outer_learning_rate));
  return refresh();
}

Status CardInnerLoop::set_parameters(std::span<const float> parameters) {
  if (parameters.size() != host_theta_.size()) return Error{Errc::kInvalidArgument, "parameters of another model"};
  MUSTER_TRY_STATUS(theta_->write(parameters));
  return refresh();
}

Status CardInnerLoop::save(const std::filesystem::path& path, std::uint64_t tag) const {
  MUSTER_TRY_STATUS(fault_);
  const auto memory = model_->optimizer_arrays();
  std::vector<std::vector<float>> copies(memory.size());
  std::vector<NamedState> optimizer;
  for (std::size_t i = 0; i < memory.size(); ++i) {
    MUSTER_TRY(copies[i], read(*memory[i].values));
    optimizer.push_back({memory[i].name, copies[i]});
  }
  MUSTER_TRY(gpu::FloatArray* owed, feedback_->residual());
  MUSTER_TRY(const auto residual, read(*owed));
  TrainerStateView state{.tag = tag, .steps = optimizer_steps_, .theta = host_theta_, .residual = residual,
                         .optimizer = std::move(optimizer), .delta = {}, .feedback = {}};
  MUSTER_TRY(state.feedback, feedback_->state());
  std::vector<float> delta;
  if (state.feedback.pending) {
    MUSTER_TRY(delta, read(feedback_->delta()));
  }
  state.delta = delta;
  return write_trainer_state(path, layout_, state);
}

Result<std::uint64_t> CardInnerLoop::load(const std::filesystem::path& path) {
  MUSTER_TRY(TrainerState state, read_trainer_state(path, layout_));
  const auto memory = model_->optimizer_arrays();
  const bool fits = std::ranges::equal(memory, state.optimizer, [](const gpu::NamedArray& mine, const auto& its) {
    return mine.name == its.first && mine.values->size() == its.second.size();
  });
  if (!fits) return Error{Errc::kInvalidArgument, path.string() + ": made with another optimizer"};
  MUSTER_TRY_STATUS(set_parameters(state.theta));
  for (std::size_t i = 0; i < memory.size(); ++i)
    MUSTER_TRY_STATUS(memory[i].values->write(state.optimizer[i].second));
  optimizer_steps_ = state.steps;
  MUSTER_TRY(gpu::FloatArray* residual, feedback_->residual());
  MUSTER_TRY_STATUS(residual->write(state.residual));
  if (state.feedback.pending) MUSTER_TRY_STATUS(feedback_->delta().write(state.delta));
  MUSTER_TRY_STATUS(feedback_->restore(state.feedback));
  has_delta_ = false;
  fault_ = Status();
  return state.tag;
}

}  // namespace muster::trainer
