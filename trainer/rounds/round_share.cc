#include "trainer/rounds/round_share.h"

#include <algorithm>
#include <utility>

namespace muster::trainer {
namespace {

// What a rank finds before a step, as it travels to the others.
constexpr double kReady = 0, kAskedToStop = 1, kFailed = 2;

}  // namespace

RoundShare::RoundShare(const TrainerConfig& config, DataSet data, std::span<const float> theta,
                       MakeEngine make_engine, Collective* collective)
    : config_(config),
      layout_(state::layout_of(config.model)),
      data_(std::move(data)),
      theta_(theta),
      collective_(collective),
      plan_(make_shard_plan(layout_, config.optimizer.kind, ranks())),
      make_engine_(std::move(make_engine)) {}

Result<std::unique_ptr<RoundShare>> RoundShare::make(const TrainerConfig& config, DataSet data,
                                                     std::span<const float> theta,
                                                     MakeEngine make_engine,
                                                     Collective* collective) {
  std::unique_ptr<RoundShare> share(
      new RoundShare(config, std::move(data), theta, std::move(make_engine), collective));
  MUSTER_TRY_STATUS(share->restart());
  return share;
}

Status RoundShare::restart() {
  has_delta_ = false;
  described_.reset();
  engine_.reset();
  MUSTER_TRY(engine_, make_engine_());
  return {};
}

Error RoundShare::lost(Error error) {
  described_.reset();
  engine_.reset();
  return error;
}

Result<Batch> RoundShare::next_batch(std::span<const std::uint64_t> sequences, bool stop) {
  const std::size_t first = sequences.size() * rank() / ranks(),
                    end = sequences.size() * (rank() + 1) / ranks();
  tokens_.resize((end - first) * (config_.model.context + std::size_t{1}));
  const Status found = data_.read(sequences.subspan(first, end - first), tokens_);
  const double mine = !found ? kFailed : stop ? kAskedToStop : kReady;
  std::vector<double> all(ranks(), mine);
  if (collective_ != nullptr)
    if (Status shared = collective_->share({&mine, 1}, all); !shared)
      return lost(std::move(shared).error());
  MUSTER_TRY_STATUS(found);
  const double worst = *std::ranges::max_element(all);
  if (worst == kFailed) return Error{Errc::kCancelled, "another rank could not go on"};
  if (worst == kAskedToStop) return Error{Errc::kCancelled, "training stopped"};
  return Batch{tokens_, end - first, sequences.size()};
}

Result<protocol::TrainReport> RoundShare::train(
    const protocol::TrainTask& task, const std::atomic<bool>& stop,
    const std::function<void(std::uint32_t)>& progress) {
  MUSTER_CHECK(engine_ != nullptr, "training after a failure without a restart");
  has_delta_ = false;
  const std::span<const std::uint64_t> sequences(task.sequences);
  const std::size_t batch = task.inner_steps == 0 ? 0 : sequences.size() / task.inner_steps;
  if (batch < ranks() && task.inner_steps > 0)
    return Error{Errc::kInvalidArgument, "a batch of " + std::to_string(batch) + " sequences for " +
                                             std::to_string(ranks()) +
                                             " ranks; take at most as many ranks"};
  if (Status begun = engine_->begin(theta_); !begun) return lost(std::move(begun).error());
  protocol::TrainReport report;
  // Spikes are the business of who sees the whole run; here only what is not finite is skipped.
  LossGuard guard({.spike_sd = 0});
  for (std::uint32_t step = 0; step < task.inner_steps; ++step) {
    MUSTER_TRY(const Batch tokens, next_batch(sequences.subspan(step * batch, batch), stop));
    const std::uint64_t number = task.round.value * task.inner_steps + step;
    auto taken = engine_->step(tokens, learning_rate(config_.schedule, number),
                               config_.gradient_clip, guard);
    if (!taken) return lost(std::move(taken).error());
    if (taken->verdict != Verdict::kApply) {
      MUSTER_TRY_STATUS(guard.check(number, taken->loss, taken->gradient_norm));
      ++report.skipped_steps;
    } else {
      report.mean_loss += taken->loss;
    }
    progress(step);
  }
  if (report.skipped_steps == task.inner_steps && task.inner_steps > 0)
    return Error{Errc::kNonFinite,
                 "no step of round " + std::to_string(task.round.value) + " had a finite loss"};
  report.mean_loss /= std::max(1u, task.inner_steps - report.skipped_steps);
  report.inner_steps = task.inner_steps;
  report.sequences_used = static_cast<std::uint32_t>(sequences.size());
  auto is_finite = engine_->end();
  if (!is_finite) return lost(std::move(is_finite).error());
  has_delta_ = *is_finite;
  if (!has_delta_)
    return Error{Errc::kNonFinite,
                 "training diverged in round " + std::to_string(task.round.value)};
  return report;
}

Result<std::vector<Bytes>> RoundShare::encode(const compression::PayloadFormat& format) {
  MUSTER_CHECK(std::exchange(has_delta_, false), "encode without training");
  auto segments = engine_->encode(format);
  // What is wrong with the content is no fault of the engine's.
  const bool is_broken =
      !segments && (segments.error().code == Errc::kIo || segments.error().code == Errc::kClosed);
  if (is_broken) return lost(std::move(segments).error());
  return segments;
}

Status RoundShare::settle(protocol::Settlement settlement) {
  MUSTER_CHECK(engine_ != nullptr, "settled after a failure without a restart");
  has_delta_ = false;
  Status settled = engine_->settle(settlement);
  return settled ? Status() : lost(std::move(settled).error());
}

Result<StateHead> RoundShare::describe() {
  MUSTER_CHECK(engine_ != nullptr, "described after a failure without a restart");
  auto state = engine_->state();
  if (!state) return lost(std::move(state).error());
  described_ = *std::move(state);
  return StateHead{.tag = 0,
                   .optimizer_steps = described_->optimizer_steps,
                   .pending = described_->feedback.pending,
                   .entries = described_->feedback.indices.size(),
                   .optimizer = optimizer_arrays(config_.optimizer.kind, layout_)};
}

std::vector<std::uint64_t> RoundShare::optimizer_starts() const {
  std::vector<std::uint64_t> starts;
  const std::uint64_t begin = plan_.optimized[rank()].begin;
  for (const NamedSize& array : optimizer_arrays(config_.optimizer.kind, layout_)) {
    starts.push_back(0);
    if (begin == 0) continue;
    for (const NamedSize& before :
         optimizer_arrays(config_.optimizer.kind, slice(layout_, {0, begin})))
      if (before.name == array.name) starts.back() = before.floats;
  }
  return starts;
}

Status RoundShare::write(StateFile& file, std::uint64_t first_entry) {
  const auto state = std::exchange(described_, std::nullopt);
  MUSTER_CHECK(state.has_value(), "a state that was not described");
  const Range compressed = plan_.compressed[rank()];
  const auto put = [](std::span<const float> values, std::span<float> into, std::uint64_t at) {
    std::ranges::copy(values, into.subspan(at, values.size()).begin());
  };
  put(state->residual, file.residual(), compressed.begin);
  if (file.head().pending) put(state->delta, file.delta(), compressed.begin);
  const auto starts = optimizer_starts();
  for (std::size_t i = 0; i < state->optimizer.size(); ++i)
    put(state->optimizer[i].values, file.optimizer(i), starts[i]);
  const auto indices = file.indices().subspan(first_entry, state->feedback.indices.size());
  std::ranges::transform(state->feedback.indices, indices.begin(),
                         [&](std::uint64_t index) { return index + compressed.begin; });
  put(state->feedback.originals, file.originals(), first_entry);
  return {};
}

Status RoundShare::read(const StateFile& file) {
  MUSTER_CHECK(engine_ != nullptr, "read after a failure without a restart");
  if (file.head().optimizer != optimizer_arrays(config_.optimizer.kind, layout_))
    return Error{Errc::kInvalidArgument, file.path().string() + ": made with another optimizer"};
  const Range compressed = plan_.compressed[rank()], optimized = plan_.optimized[rank()];
  const auto indices = file.indices();
  const auto first = std::ranges::lower_bound(indices, compressed.begin) - indices.begin();
  const auto end = std::ranges::lower_bound(indices, compressed.end) - indices.begin();
  EngineState state{.optimizer_steps = file.head().optimizer_steps,
                    .optimizer = {},
                    .residual = part_of(file.residual(), compressed),
                    .delta = {},
                    .feedback = {}};
  if (!optimized.empty()) {
    const auto starts = optimizer_starts();
    const auto arrays = optimizer_arrays(config_.optimizer.kind, slice(layout_, optimized));
    for (std::size_t i = 0; i < arrays.size(); ++i)
      state.optimizer.push_back(
          {arrays[i].name, file.optimizer(i).subspan(starts[i], arrays[i].floats)});
  }
  state.feedback.pending = file.head().pending;
  if (state.feedback.pending) {
    state.delta = part_of(file.delta(), compressed);
    for (auto i = first; i < end; ++i) {
      state.feedback.indices.push_back(indices[static_cast<std::size_t>(i)] - compressed.begin);
      state.feedback.originals.push_back(file.originals()[static_cast<std::size_t>(i)]);
    }
  }
  has_delta_ = false;
  Status restored = engine_->restore(state);
  return restored ? Status() : lost(std::move(restored).error());
}

}  // namespace muster::trainer
