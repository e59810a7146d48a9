#include "trainer/rounds/round_engine.h"

#include <algorithm>
#include <cstring>

#include "trainer/device.h"

namespace muster::trainer {
namespace {

std::span<float> on_device(model::FloatArray& array) { return {array.device_data(), array.size()}; }

// Joins the ranks' cards to one group. Errors: those of Cards::make_group_id and Card::join,
// kClosed.
Result<std::shared_ptr<Collective>> join_cards(const gpu::Cards& cards, gpu::Card& card,
                                               Collective& of_hosts) {
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
  return std::shared_ptr<Collective>(std::move(of_cards));
}

}  // namespace

RoundEngine::RoundEngine(const TrainerConfig& config, std::shared_ptr<model::Device> device,
                         RankPlace place)
    : config_(config),
      device_(std::move(device)),
      place_(std::move(place)),
      rank_(is_alone() ? 0 : place_.of_hosts->rank()),
      ranks_(is_alone() ? 1 : place_.of_hosts->size()),
      plan_(make_shard_plan(state::layout_of(config.model), config.optimizer.kind, ranks_)) {}

Result<std::unique_ptr<RoundEngine>> RoundEngine::make(const TrainerConfig& config,
                                                       std::shared_ptr<model::Device> device,
                                                       RankPlace place) {
  std::unique_ptr<RoundEngine> engine(new RoundEngine(config, std::move(device), std::move(place)));
  MUSTER_TRY_STATUS(engine->reserve());
  return engine;
}

Status RoundEngine::reserve() {
  model::ModelSettings settings{.spec = config_.model,
                                .sequences = (config_.batch + ranks_ - 1) / ranks_,
                                .compute = config_.compute.compute,
                                .optimizer = config_.optimizer};
  if (!is_alone())
    settings.shard = {.collective = place_.of_devices.get(),
                      .owned = plan_.optimized,
                      .shards_parameters = config_.shards_parameters};
  MUSTER_TRY(model_, device_->make_model(settings));
  const Range compressed = plan_.compressed[rank_];
  if (compressed.empty()) return {};
  MUSTER_TRY(feedback_, device_->make_error_feedback(
                            slice(state::layout_of(config_.model), compressed), config_.threads));
  return {};
}

Status RoundEngine::begin(std::span<const float> theta) {
  theta_ = theta;
  return model_->load(theta);
}

Result<LearnerStep> RoundEngine::step(const Batch& batch, double learning_rate, double clip,
                                      LossGuard& guard) {
  model::SharedBatch shared;
  if (!is_alone()) {
    const std::uint64_t at_once = model_->sequences_at_once(),
                        largest = (batch.of_all + ranks_ - 1) / ranks_;
    shared = {.sequences = batch.of_all,
              .passes = static_cast<std::uint32_t>((largest + at_once - 1) / at_once)};
  }
  return guarded_step(*model_, batch.tokens, learning_rate, clip, guard, optimizer_steps_, shared);
}

Result<bool> RoundEngine::end() {
  double spoilt = 0;
  // The gradient's room has the size, and is free until the next step.
  model::FloatArray& room = model_->gradient();
  if (!optimized().empty()) {
    MUSTER_TRY_STATUS(room.write(part_of(theta_, optimized())));
    model::FloatArray& delta = is_alone() ? feedback_->delta() : room;
    MUSTER_TRY(const bool is_finite, device_->subtract(room, model_->parameters(), delta));
    spoilt = is_finite ? 0 : 1;
  }
  if (is_alone()) return spoilt == 0;
  MUSTER_TRY_STATUS(place_.of_devices->reshare(
      optimized().empty() ? std::span<float>() : on_device(room), plan_.optimized,
      feedback_ == nullptr ? std::span<float>() : on_device(feedback_->delta()), plan_.compressed));
  std::vector<double> all(ranks_);
  MUSTER_TRY_STATUS(place_.of_hosts->share({&spoilt, 1}, all));
  return std::ranges::all_of(all, [](double it) { return it == 0; });
}

Result<std::vector<Bytes>> RoundEngine::encode(const compression::PayloadFormat& format) {
  if (feedback_ == nullptr) return std::vector<Bytes>();
  MUSTER_TRY(auto payload, feedback_->compress(format));
  return std::move(payload.segments);
}

Status RoundEngine::settle(protocol::Settlement settlement) {
  if (feedback_ == nullptr) return {};
  const float beta = config_.error_feedback_decay;
  if (!feedback_->is_pending() || settlement == protocol::Settlement::kMissed)
    return feedback_->settle_missed(beta);
  if (settlement == protocol::Settlement::kDelivered) return feedback_->settle_delivered(beta);
  return feedback_->settle_kept(beta);
}

std::vector<model::NamedArray> RoundEngine::arrays() {
  return optimized().empty() ? std::vector<model::NamedArray>() : model_->optimizer_arrays();
}

Result<EngineState> RoundEngine::state() {
  EngineState state{.optimizer_steps = optimizer_steps_,
                    .optimizer = {},
                    .residual = {},
                    .delta = {},
                    .feedback = {}};
  const auto memory = arrays();
  copies_.resize(memory.size());
  for (std::size_t i = 0; i < memory.size(); ++i) {
    MUSTER_TRY(const std::span<float> values, memory[i].values->on_host(copies_[i]));
    state.optimizer.push_back({memory[i].name, values});
  }
  if (feedback_ == nullptr) return state;
  MUSTER_TRY(model::FloatArray * owed, feedback_->residual());
  MUSTER_TRY(state.residual, owed->on_host(residual_copy_));
  MUSTER_TRY(state.feedback, feedback_->state());
  if (state.feedback.pending) {
    MUSTER_TRY(state.delta, feedback_->delta().on_host(delta_copy_));
  }
  return state;
}

Status RoundEngine::restore(const EngineState& state) {
  const auto memory = arrays();
  for (std::size_t i = 0; i < memory.size(); ++i)
    MUSTER_TRY_STATUS(memory[i].values->write(state.optimizer[i].values));
  optimizer_steps_ = state.optimizer_steps;
  if (feedback_ == nullptr) return {};
  MUSTER_TRY(model::FloatArray * residual, feedback_->residual());
  MUSTER_TRY_STATUS(residual->write(state.residual));
  if (state.feedback.pending) MUSTER_TRY_STATUS(feedback_->delta().write(state.delta));
  return feedback_->restore(state.feedback);
}

Result<std::unique_ptr<RoundEngine>> make_round_engine(const TrainerConfig& config,
                                                       Collective* collective) {
  MUSTER_TRY(auto opened,
             open_device(config.device, config.model, config.compute, config.threads, config.card));
  RankPlace place{nullptr, collective};
  if (collective != nullptr) {
    // Not its owner: the caller's outlives the engine.
    place.of_devices = std::shared_ptr<Collective>(std::shared_ptr<Collective>(), collective);
    if (opened.card != nullptr) {
      MUSTER_TRY(const auto cards, gpu::load_cards(config.compute.libraries));
      MUSTER_TRY(place.of_devices, join_cards(*cards, *opened.card, *collective));
    }
  }
  return RoundEngine::make(config, std::move(opened.device), std::move(place));
}

}  // namespace muster::trainer
