#include "trainer/inner_loop.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "state/outer_step.h"
#include "trainer/trainer_state.h"

namespace muster::trainer {

LlamaInnerLoop::LlamaInnerLoop(const TrainerConfig& config, DataSet data, Stepper stepper,
                               std::span<const float> parameters)
    : config_(config),
      layout_(state::layout_of(config.model)),
      data_(std::move(data)),
      stepper_(std::move(stepper)),
      theta_(parameters.begin(), parameters.end()),
      first_(parameters.size(), 0.0f),
      second_(parameters.size(), 0.0f),
      feedback_(first_, second_) {}

Result<protocol::TrainReport> LlamaInnerLoop::train(const protocol::TrainTask& task, const std::atomic<bool>& stop,
                                                    const std::function<void(std::uint32_t)>& progress) {
  trained_ = theta_;
  protocol::TrainReport report;
  // Spikes are the business of who sees the whole run; here only what is not finite is skipped.
  LossGuard guard({.spike_sd = 0});
  const std::span<const std::uint64_t> sequences(task.sequences);
  const std::size_t batch = task.inner_steps == 0 ? 0 : sequences.size() / task.inner_steps;
  tokens_.resize(batch * (config_.model.context + std::size_t{1}));
  for (std::uint32_t step = 0; step < task.inner_steps; ++step) {
    if (stop) return Error{Errc::kCancelled, "training stopped"};
    MUSTER_TRY_STATUS(data_.read(sequences.subspan(step * batch, batch), tokens_));
    const std::uint64_t number = task.round.value * task.inner_steps + step;
    const auto outcome = stepper_.step(trained_, tokens_, learning_rate(config_.schedule, number), guard);
    if (outcome.step.verdict != Verdict::kApply) {
      MUSTER_TRY_STATUS(guard.check(number, outcome.loss, outcome.step.gradient_norm));
      ++report.skipped_steps;
    } else {
      report.mean_loss += outcome.loss;
    }
    progress(step);
  }
  if (report.skipped_steps == task.inner_steps && task.inner_steps > 0)
    return Error{Errc::kNonFinite, "no step of round " + std::to_string(task.round.value) + " had a finite loss"};
  report.mean_loss /= std::max(1u, task.inner_steps - report.skipped_steps);
  report.inner_steps = task.inner_steps;
  report.sequences_used = static_cast<std::uint32_t>(sequences.size());
  const auto delta = feedback_.delta();
  has_delta_ = true;
  for (std::size_t i = 0; i < delta.size(); ++i) {
    delta[i] = theta_[i] - trained_[i];
    has_delta_ = has_delta_ && std::isfinite(delta[i]);
  }
  if (!has_delta_)
    return Error{Errc::kNonFinite, "training diverged in round " + std::to_string(task.round.value)};
  return report;
}

Result<compression::Payload> LlamaInnerLoop::encode(const compression::PayloadFormat& format) {
  MUSTER_CHECK(std::exchange(has_delta_, false), "encode without training");
  return feedback_.compress(layout_, format, config_.threads);
}

void LlamaInnerLoop::settle(protocol::Settlement settlement) {
  const float beta = config_.error_feedback_decay;
  has_delta_ = false;
  if (!feedback_.is_pending() || settlement == protocol::Settlement::kMissed) {
    feedback_.settle_missed(beta);
  } else if (settlement == protocol::Settlement::kDelivered) {
    feedback_.settle_delivered(beta);
  } else {
    feedback_.settle_kept(beta);
  }
}

Status LlamaInnerLoop::apply(const compression::SparseUpdate& aggregate) {
  state::outer_step(theta_, aggregate, config_.outer_learning_rate);
  return {};
}

Status LlamaInnerLoop::set_parameters(std::span<const float> parameters) {
  if (parameters.size() != theta_.size()) return Error{Errc::kInvalidArgument, "parameters of another model"};
  std::ranges::copy(parameters, theta_.begin());
  return {};
}

Status LlamaInnerLoop::save(const std::filesystem::path& path, std::uint64_t tag) const {
  Optimizer& optimizer = stepper_.optimizer();
  TrainerStateView state{.tag = tag, .steps = optimizer.steps(), .theta = theta_,
                         .residual = feedback_.residual(), .optimizer = optimizer.state(), .delta = {},
                         .feedback = feedback_.state()};
  if (state.feedback.pending) state.delta = feedback_.delta();
  return write_trainer_state(path, layout_, state);
}

Result<std::uint64_t> LlamaInnerLoop::load(const std::filesystem::path& path) {
  MUSTER_TRY(TrainerState state, read_trainer_state(path, layout_));
  const auto memory = stepper_.optimizer().state();
  const bool fits = std::ranges::equal(memory, state.optimizer, [](const NamedState& mine, const auto& its) {
    return mine.name == its.first && mine.values.size() == its.second.size();
  });
  if (!fits) return Error{Errc::kInvalidArgument, path.string() + ": made with another optimizer"};
  for (std::size_t i = 0; i < memory.size(); ++i) std::ranges::copy(state.optimizer[i].second, memory[i].values.begin());
  stepper_.optimizer().set_steps(state.steps);
  theta_ = std::move(state.theta);
  first_ = std::move(state.residual);
  if (state.feedback.pending) second_ = std::move(state.delta);
  feedback_ = compression::ErrorFeedback(first_, second_);
  feedback_.restore(std::move(state.feedback));
  has_delta_ = false;
  return state.tag;
}

}  // namespace muster::trainer
