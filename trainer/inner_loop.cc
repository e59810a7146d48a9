#include "trainer/inner_loop.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "state/outer_step.h"
#include "trainer/flat_tensor.h"
#include "trainer/torch_scope.h"
#include "trainer/trainer_state.h"

namespace muster::trainer {

LibtorchInnerLoop::LibtorchInnerLoop(const TrainerConfig& config, Data data,
                                     std::span<const float> parameters)
    : config_(config),
      layout_(state::layout_of(config.model)),
      model_(config.model),
      data_(std::move(data)),
      type_(compute_type(config.compute)),
      theta_(tensor_of(parameters)),
      optimizer_(config),
      first_(parameters.size(), 0.0f),
      second_(parameters.size(), 0.0f),
      feedback_(first_, second_) {}

Result<protocol::TrainReport> LibtorchInnerLoop::train(
    const protocol::TrainTask& task, const std::atomic<bool>& stop,
    const std::function<void(std::uint32_t)>& progress) {
  const TorchScope scope(config_.threads);
  const at::Tensor trained = theta_.clone();
  protocol::TrainReport report;
  const std::span<const std::uint64_t> sequences(task.sequences);
  const std::size_t batch = task.inner_steps == 0 ? 0 : sequences.size() / task.inner_steps;
  for (std::uint32_t step = 0; step < task.inner_steps; ++step) {
    if (stop) return Error{Errc::kCancelled, "training stopped"};
    MUSTER_TRY(const at::Tensor tokens, data_.batch(sequences.subspan(step * batch, batch)));
    const auto [loss, gradient] = loss_and_gradient(model_, trained, tokens, type_);
    if (!std::isfinite(loss))
      return Error{Errc::kNonFinite, "the loss diverged in round " +
                                         std::to_string(task.round.value) + ", inner step " +
                                         std::to_string(step)};
    optimizer_.step(trained, gradient,
                    learning_rate(config_.schedule,
                                  task.round.value * task.inner_steps + step));
    report.mean_loss += loss / task.inner_steps;
    progress(step);
  }
  report.inner_steps = task.inner_steps;
  report.sequences_used = static_cast<std::uint32_t>(sequences.size());
  const auto delta = feedback_.delta();
  const auto before = floats(theta_), after = floats(trained);
  trained_ = true;
  for (std::size_t i = 0; i < delta.size(); ++i) {
    delta[i] = before[i] - after[i];
    trained_ = trained_ && std::isfinite(delta[i]);
  }
  if (!trained_)
    return Error{Errc::kNonFinite,
                 "training diverged in round " + std::to_string(task.round.value)};
  return report;
}

Result<compression::Payload> LibtorchInnerLoop::encode(const compression::PayloadFormat& format) {
  MUSTER_CHECK(std::exchange(trained_, false), "encode without training");
  return feedback_.compress(layout_, format, static_cast<unsigned>(config_.threads));
}

void LibtorchInnerLoop::settle(protocol::Settlement settlement) {
  const float beta = config_.error_feedback_decay;
  trained_ = false;
  if (!feedback_.is_pending() || settlement == protocol::Settlement::kMissed) {
    feedback_.settle_missed(beta);
  } else if (settlement == protocol::Settlement::kDelivered) {
    feedback_.settle_delivered(beta);
  } else {
    feedback_.settle_kept(beta);
  }
}

Status LibtorchInnerLoop::apply(const compression::SparseUpdate& aggregate) {
  state::outer_step(mutable_floats(theta_), aggregate, config_.outer_learning_rate);
  return {};
}

std::span<const float> LibtorchInnerLoop::parameters() const { return floats(theta_); }

Status LibtorchInnerLoop::set_parameters(std::span<const float> parameters) {
  if (parameters.size() != first_.size())
    return Error{Errc::kInvalidArgument, "parameters of another model"};
  theta_ = tensor_of(parameters);
  return {};
}

Status LibtorchInnerLoop::save(const std::filesystem::path& path, std::uint64_t tag) const {
  TrainerStateView state{.tag = tag,
                         .steps = static_cast<std::uint64_t>(optimizer_.steps.item<double>()),
                         .theta = floats(theta_),
                         .first_moment = floats(optimizer_.first_moment),
                         .second_moment = floats(optimizer_.second_moment),
                         .residual = feedback_.residual(),
                         .delta = {},
                         .feedback = feedback_.state()};
  if (state.feedback.pending) state.delta = feedback_.delta();
  return write_trainer_state(path, layout_, state);
}

Result<std::uint64_t> LibtorchInnerLoop::load(const std::filesystem::path& path) {
  MUSTER_TRY(TrainerState state, read_trainer_state(path, layout_));
  optimizer_.steps.fill_(static_cast<double>(state.steps));
  std::ranges::copy(state.theta, mutable_floats(theta_).begin());
  std::ranges::copy(state.first_moment, mutable_floats(optimizer_.first_moment).begin());
  std::ranges::copy(state.second_moment, mutable_floats(optimizer_.second_moment).begin());
  first_ = std::move(state.residual);
  if (state.feedback.pending) second_ = std::move(state.delta);
  feedback_ = compression::ErrorFeedback(first_, second_);
  feedback_.restore(std::move(state.feedback));
  trained_ = false;
  return state.tag;
}

}  // namespace muster::trainer
