// The coordinator's phases: when each ends, and what opens, closes and seals a round.
#include <algorithm>

#include "coordinator/coordinator.h"
#include "protocol/deadlines.h"
#include "state/outer_step.h"
#include "state/state_root.h"

namespace muster::coordinator {

using protocol::Phase;

TimeMs Coordinator::phase_end() const {
  const auto& roster = round_.open->message.roster;
  protocol::PhaseProgress progress{0, 0, phase_started_, round_.quorum_at};
  for (const auto& entry : roster) {
    const bool expected = head_.last_roster().empty() || head_.expected(entry.hotkey) ||
                          head_.find_in_last_roster(entry.hotkey) == nullptr;
    const bool counts = phase_ == Phase::kScreen ? entry.role == Role::kValidator
                        : phase_ == Phase::kTrain
                            ? entry.role == Role::kMiner
                            : round_.commits.contains(entry.uid);
    if (!expected || !counts) continue;
    const bool arrived = phase_ == Phase::kTrain    ? round_.arrivals_ms.contains(entry.uid)
                         : phase_ == Phase::kReveal ? round_.reveals.contains(entry.uid)
                                                    : round_.screens.contains(entry.uid);
    ++progress.expected;
    progress.expected_arrived += arrived;
  }
  // Nobody to wait for: after the close of an empty round, or without validators.
  if (progress.expected == 0 && phase_ != Phase::kTrain) return phase_started_;
  return protocol::phase_end(progress, round_.hard_ms, head_.grace_ms());
}

std::optional<TimeMs> Coordinator::next_deadline() const {
  if (finished_) return std::nullopt;
  if (phase_ == Phase::kGather)
    return std::max(not_before_, phase_started_ + static_cast<TimeMs>(params_.timing.gather_ms));
  return phase_end();
}

void Coordinator::advance(TimeMs now) {
  while (advance_once(now)) {
  }
}

bool Coordinator::advance_once(TimeMs now) {
  if (finished_) return false;
  const Phase before = phase_;
  if (phase_ == Phase::kGather) {
    maybe_finish(now);
    if (!finished_) open_round(now);
    return phase_ != before;
  }
  if (phase_ == Phase::kTrain) {
    for (const auto& [uid, commit] : round_.commits) {
      if (!round_.arrivals_ms.contains(uid) && round_.blobs.contains(commit.message.payload_id))
        round_.arrivals_ms[uid] = static_cast<std::uint32_t>(now - phase_started_);
    }
  }
  const std::size_t arrived = phase_ == Phase::kTrain    ? round_.arrivals_ms.size()
                              : phase_ == Phase::kReveal ? round_.reveals.size()
                                                         : round_.screens.size();
  const std::size_t awaited =
      phase_ == Phase::kReveal
          ? round_.commits.size()
          : static_cast<std::size_t>(std::count_if(
                round_.open->message.roster.begin(), round_.open->message.roster.end(),
                [&](const auto& entry) {
                  return entry.role ==
                         (phase_ == Phase::kScreen ? Role::kValidator : Role::kMiner);
                }));
  if (!round_.quorum_at && awaited > 0 &&
      arrived >= protocol::quorum_of(awaited, params_.timing.quorum_percent))
    round_.quorum_at = now;
  if (now < phase_end()) return false;
  if (phase_ == Phase::kTrain) {
    close_commits(now);
  } else if (phase_ == Phase::kReveal) {
    close_reveals(now);
  } else {
    seal_round(now);
  }
  return phase_ != before;
}

void Coordinator::open_round(TimeMs now) {
  const std::size_t miners = membership_.ready_count(Role::kMiner);
  const std::size_t validators = membership_.ready_count(Role::kValidator);
  if (now < not_before_ || miners < params_.timing.miners_min) return;
  const bool first = head_.last_roster().empty();
  if (first && (miners < config_.start_miners || validators < config_.start_validators)) return;
  const bool waited = now - phase_started_ >= static_cast<TimeMs>(params_.timing.gather_ms);
  if (!first && !waited && !membership_.all_expected_ready(head_)) return;

  protocol::RoundOpen open;
  open.state_id = head_.state_id();
  open.ledger_block = membership_.ledger().block;
  open.ledger_block_hash = membership_.ledger().block_hash;
  open.roster = membership_.roster();
  open.beacon = head_.beacon();
  const protocol::DataCursor cursor = protocol::fit_cursor(
      head_.cursor(), protocol::miner_count(open), params_.slice(), params_.sequences);
  open.epoch = cursor.epoch;
  open.cursor = cursor.position;
  open.train_ms = params_.timing.train_ms;
  open.reveal_ms = params_.timing.reveal_ms;
  open.screen_ms = params_.timing.screen_ms;
  for (auto& [hotkey, attest] : round_.attestations) open.attestations.push_back(attest);
  ask_checkpoint(open.attestations);
  Bytes message = sign(open);
  const Status entered = enter_train(message);
  MUSTER_CHECK(entered.has_value(), entered ? "" : entered.error().message);
  phase_started_ = now;
  persist_and_broadcast(std::move(message));
}

void Coordinator::ask_checkpoint(const std::vector<Bytes>& attestations) {
  const std::uint64_t round = head_.round().value;
  if (config_.checkpoint_every == 0 || round == 0 || round % config_.checkpoint_every != 0 ||
      pending_checkpoint_)
    return;
  pending_checkpoint_ = {{Hash{}, attestations}, head_.position()};
  actions_.push_back(WriteCheckpoint{head_.state()});
}

void Coordinator::close_commits(TimeMs now) {
  protocol::CommitsClosed closed;
  for (const auto& [uid, commit] : round_.commits)
    if (round_.arrivals_ms.contains(uid)) closed.commits.push_back(commit.bytes);
  closed.commit_root = protocol::commit_root_of(closed.commits);
  Bytes message = sign(closed);
  const Status entered = enter_reveal(message);
  MUSTER_CHECK(entered.has_value(), entered ? "" : entered.error().message);
  phase_started_ = now;
  persist_and_broadcast(std::move(message));
}

void Coordinator::close_reveals(TimeMs now) {
  protocol::RevealsClosed closed;
  closed.commit_root = round_.commit_root;
  for (const auto& [uid, reveal] : round_.reveals) closed.reveals.push_back(reveal.bytes);
  Bytes message = sign(closed);
  const Status entered = enter_screen(message);
  MUSTER_CHECK(entered.has_value(), entered ? "" : entered.error().message);
  phase_started_ = now;
  persist_and_broadcast(std::move(message));
}

void Coordinator::seal_round(TimeMs now) {
  std::vector<Bytes> screens;
  for (const auto& [uid, screen] : round_.screens) screens.push_back(screen.bytes);
  auto sealed = make_seal(screens, round_.evidence, round_.arrivals_ms);
  MUSTER_CHECK(sealed.has_value(), sealed ? "" : sealed.error().message);
  if (!sealed->manifest.null_round)
    actions_.push_back(StoreBlob{sealed->manifest.aggregate_id, std::move(sealed->aggregate_blob)});
  Bytes message = sign(sealed->manifest);
  persist_and_broadcast(message);

  step_model(*sealed);
  actions_.push_back(RoundSealed{head_.round(), sealed->manifest, *theta_root_,
                                 state::parameters_root(layout_, model_.downlink_residual)});
  head_.advance(wire::message_hash(message), round_.open->message, sealed->manifest);
  round_ = RoundState{};
  membership_.clear_ready();
  phase_ = Phase::kGather;
  phase_started_ = now;
  const std::uint32_t doublings = std::min(head_.null_rounds_in_a_row(), 16u);
  not_before_ = doublings == 0 ? now
                               : now + std::min<TimeMs>(TimeMs{params_.timing.pause_ms}
                                                            << (doublings - 1),
                                                        params_.timing.pause_max_ms);
}

// After the last round: everybody's Ready shows that it is at the final state.
void Coordinator::maybe_finish(TimeMs now) {
  if (params_.rounds == 0 || head_.round().value < params_.rounds) return;
  const bool waited = now - phase_started_ >= static_cast<TimeMs>(params_.timing.gather_ms);
  if (!waited && !membership_.all_expected_ready(head_)) return;
  finished_ = true;
  actions_.push_back(Broadcast{sign(final_state())});
  actions_.push_back(Finish{});
}

}  // namespace muster::coordinator
