// The coordinator's phases: when each ends, and what opens, closes and seals a round.
#include <algorithm>
#include <limits>
#include <set>

#include "coordinator/coordinator.h"
#include "state/outer_step.h"
#include "state/state_root.h"

namespace muster::coordinator {

using protocol::Phase;

namespace {

constexpr TimeMs kAwaitedSayAgainMs = 60'000;

}  // namespace

protocol::Turnout Coordinator::turnout() const {
  const auto weights = head_.weights(round_.open->message);
  std::vector<protocol::Attendant> attendants;
  for (const auto& entry : round_.open->message.roster) {
    const std::uint64_t weight = weights.at(entry.uid);
    const bool counts = phase_ == Phase::kScreen  ? entry.role == Role::kValidator && weight > 0
                        : phase_ == Phase::kTrain ? entry.role == Role::kMiner
                                                  : round_.commits.contains(entry.uid);
    if (!counts) continue;
    const bool is_expected =
        head_.expected(entry.hotkey) || head_.find_in_last_roster(entry.hotkey) == nullptr;
    const bool has_arrived = phase_ == Phase::kTrain    ? round_.arrivals_ms.contains(entry.uid)
                             : phase_ == Phase::kReveal ? round_.reveals.contains(entry.uid)
                                                        : round_.screens.contains(entry.uid);
    attendants.push_back({weight, is_expected, has_arrived});
  }
  return protocol::turnout(attendants, params_.timing.quorum_percent);
}

TimeMs Coordinator::phase_end(const protocol::Turnout& turnout) const {
  return protocol::phase_end({turnout.is_complete, phase_started_, round_.quorum_at},
                             round_.hard_ms, head_.grace_ms());
}

std::optional<TimeMs> Coordinator::next_deadline() const {
  if (finished_) return std::nullopt;
  if (phase_ == Phase::kGather) {
    const TimeMs hard = phase_started_ + static_cast<TimeMs>(params_.timing.gather_ms);
    return std::max(not_before_, gathered_at_ && !may_lack_open_
                                     ? std::min(hard, *gathered_at_ + TimeMs{head_.grace_ms()})
                                     : hard);
  }
  return std::max(hold_until_, phase_end(turnout()));
}

void Coordinator::advance(TimeMs now, Until until) {
  while (advance_once(now, until)) {
  }
}

bool Coordinator::advance_once(TimeMs now, Until until) {
  if (finished_) return false;
  const Phase before = phase_;
  if (phase_ == Phase::kGather) {
    if (params_.rounds > 0 && head_.round().value >= params_.rounds) {
      maybe_finish(now, until);
    } else if (may_open(now, until)) {
      open_round(now);
    }
    return phase_ != before;
  }
  if (phase_ == Phase::kTrain) {
    for (const auto& [uid, commit] : round_.commits) {
      if (!round_.arrivals_ms.contains(uid) && round_.uploaded.contains(uid))
        round_.arrivals_ms[uid] = static_cast<std::uint32_t>(now - phase_started_);
    }
  }
  const protocol::Turnout here = turnout();
  if (!round_.quorum_at && here.is_quorum) round_.quorum_at = now;
  if (now < hold_until_) return false;
  const TimeMs end = phase_end(here);
  if (until == Until::kComplete ? end > phase_started_ : end > now) return false;
  if (phase_ == Phase::kTrain) {
    close_commits(now);
  } else if (phase_ == Phase::kReveal) {
    close_reveals(now);
  } else {
    seal_round(now);
  }
  return phase_ != before;
}

// A round opens when everybody awaited is ready; or when a quorum of the miners' and of the
// validators' weight is and the grace has passed, so that one that is away costs the others no more
// than that; or at the hard bound. After a restart only the first and the last: whoever is away may
// have seen an opening that an older copy of the folder does not know.
bool Coordinator::may_open(TimeMs now, Until until) {
  const std::size_t miners = membership_.ready_count(head_, Role::kMiner);
  const std::size_t validators = membership_.ready_count(head_, Role::kValidator);
  if (lost_open_ || now < not_before_ || miners < params_.timing.miners_min) return false;
  if (head_.needs_validator() && validators == 0) return false;
  if (head_.last_roster().empty())
    return miners >= config_.start_miners && validators >= config_.start_validators;
  const auto turnout = membership_.turnout(head_, params_.timing.quorum_percent);
  if (turnout.is_complete) return true;
  if (turnout.is_quorum && !gathered_at_) gathered_at_ = now;
  return until == Until::kDeadline && now >= *next_deadline();
}

void Coordinator::open_round(TimeMs now) {
  protocol::RoundOpen open;
  open.state_id = head_.state_id();
  open.ledger_block = membership_.ledger().block;
  open.ledger_block_hash = membership_.ledger().block_hash;
  open.ledger_signature = membership_.ledger().signature;
  open.roster = membership_.roster();
  open.beacon = head_.beacon();
  const protocol::DataCursor cursor = protocol::fit_cursor(
      head_.cursor(), protocol::miner_count(open), params_.slice(), params_.sequences);
  open.epoch = cursor.epoch;
  open.cursor = cursor.position;
  open.train_ms = params_.timing.train_ms;
  open.reveal_ms = params_.timing.reveal_ms;
  open.screen_ms = params_.timing.screen_ms;
  open.attestations = attestations_of_state();
  ask_checkpoint(open.attestations);
  Bytes message = sign(open);
  const Status entered = enter_train(message);
  MUSTER_CHECK(entered.has_value(), entered ? "" : entered.error().message);
  phase_started_ = now;
  gathered_at_.reset();
  say_again_at_ = 0;
  persist_and_distribute(std::move(message), *round_.open_forms);
}

// Nobody waits in silence.
void Coordinator::say_what_is_awaited(TimeMs now) {
  const bool waits = !finished_ && phase_ == Phase::kGather && phase_started_ != 0 &&
                     now >= not_before_ &&
                     now - phase_started_ >= static_cast<TimeMs>(params_.timing.gather_ms);
  if (!waits || now < say_again_at_) return;
  say_again_at_ = now + kAwaitedSayAgainMs;
  const std::size_t miners = membership_.ready_count(head_, Role::kMiner);
  const std::size_t validators = membership_.ready_count(head_, Role::kValidator);
  const bool first = head_.last_roster().empty();
  std::string what = "round " + std::to_string(head_.round().value) +
                     " waits: " + std::to_string(miners) + " miners are ready, " +
                     std::to_string(std::max<std::size_t>(params_.timing.miners_min,
                                                          first ? config_.start_miners : 0)) +
                     " are needed; " + std::to_string(validators) + " validators are ready";
  if (first && config_.start_validators > 0)
    what += ", " + std::to_string(config_.start_validators) + " are needed";
  if (head_.needs_validator())
    what += "; " + std::to_string(head_.unscreened_rounds_in_a_row()) +
            " rounds in a row were sealed without a Screen, so one with stake is needed";
  actions_.push_back(Note{std::move(what)});
}

void Coordinator::set_next_checkpoint(Round last) {
  const std::uint64_t every = config_.checkpoint_every;
  next_checkpoint_ = Round{every == 0 ? std::numeric_limits<std::uint64_t>::max()
                                      : (last.value / every + 1) * every};
}

// Nobody joins by one that no majority of the stake attests, so it is put off until one does; at
// most as long as from one to the next, since the coordinator itself starts again from it.
void Coordinator::ask_checkpoint(const std::vector<Bytes>& attestations) {
  if (head_.round() < next_checkpoint_ || pending_checkpoint_) return;
  const bool is_overdue = head_.round().value >= next_checkpoint_.value + config_.checkpoint_every;
  if (!is_attested_by_most(attestations) && !is_overdue) return;
  write_checkpoint(attestations);
}

void Coordinator::write_checkpoint(std::vector<Bytes> attestations) {
  set_next_checkpoint(head_.round());
  pending_checkpoint_ = {{Hash{}, std::move(attestations)}, head_.position()};
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
  persist_and_distribute(std::move(message), *round_.close_forms);
  end_uploads();
}

// REQUIRES: the commits are those that the close lists.
void Coordinator::end_uploads() {
  std::set<Hash> listed;
  for (const auto& [uid, commit] : round_.commits) listed.insert(commit.message.payload_id);
  actions_.push_back(EndUploads{std::move(listed)});
}

void Coordinator::close_reveals(TimeMs now) {
  protocol::RevealsClosed closed;
  closed.commit_root = round_.commit_root;
  for (const auto& [uid, reveal] : round_.reveals) closed.reveals.push_back(reveal.bytes);
  Bytes message = sign(closed);
  const Status entered = enter_screen(message);
  MUSTER_CHECK(entered.has_value(), entered ? "" : entered.error().message);
  phase_started_ = now;
  persist_for_validators(std::move(message));
}

// A payload that cannot be read now may be later: the round waits for the disk, and says so.
bool Coordinator::open_payloads(TimeMs now) {
  if (round_.payloads_open) return true;
  auto opened = protocol::open_payloads(context(), round_.commits, round_.reveals, blobs_);
  if (!opened) {
    if (now >= say_again_at_) {
      say_again_at_ = now + kAwaitedSayAgainMs;
      actions_.push_back(
          Note{"round " + std::to_string(head_.round().value) +
               " cannot be sealed before its payloads can be read: " + opened.error().message});
    }
    return false;
  }
  round_.payloads = std::move(*opened);
  round_.payloads_open = true;
  return true;
}

namespace {

constexpr std::uint32_t kNullRoundsBeforeANote = 3;

// Which rule rejected whom, with the verdicts that the Screens gave against each.
std::string why_nobody_counts(const protocol::SealRecord& record) {
  std::map<std::string, std::string> uids_by_reason;
  for (const auto& outcome : record.outcomes) {
    if (outcome.code == protocol::OutcomeCode::kAccepted) continue;
    std::string reason(name_of(outcome.code));
    if (outcome.code == protocol::OutcomeCode::kRejected) {
      std::set<protocol::Verdict> verdicts;
      for (const Bytes& bytes : record.screens) {
        const auto envelope = wire::reread_envelope(bytes);
        const auto screen = envelope ? protocol::read_body<protocol::Screen>(*envelope)
                                     : Result<protocol::Screen>(envelope.error());
        if (!screen) continue;
        for (const auto& entry : screen->entries)
          if (entry.uid == outcome.uid && protocol::is_rejection(entry.verdict))
            verdicts.insert(entry.verdict);
      }
      for (const auto verdict : verdicts) reason += ": " + std::string(name_of(verdict));
    }
    auto& uids = uids_by_reason[reason];
    uids += (uids.empty() ? "" : ", ") + std::to_string(outcome.uid.value);
  }
  std::string text;
  for (const auto& [reason, uids] : uids_by_reason) text += "; " + reason + ": uid " + uids;
  return text;
}

}  // namespace

void Coordinator::seal_round(TimeMs now) {
  if (lost_seal_ || !open_payloads(now)) return;
  std::vector<Bytes> screens;
  for (const auto& [uid, screen] : round_.screens) screens.push_back(screen.bytes);
  auto sealed = make_seal(screens, round_.evidence, round_.arrivals_ms);
  MUSTER_CHECK(sealed.has_value(), sealed ? "" : sealed.error().message);
  actions_.push_back(StoreBlob{sealed->manifest.record_id, std::move(sealed->record_blob)});
  if (!sealed->manifest.null_round)
    actions_.push_back(StoreBlob{sealed->manifest.aggregate_id, std::move(sealed->aggregate_blob)});
  Bytes message = sign(sealed->manifest);
  persist_and_broadcast(message);

  step_model(*sealed);
  head_.advance(wire::message_hash(message), round_.open->message, sealed->manifest);
  if (head_.null_rounds_in_a_row() >= kNullRoundsBeforeANote)
    actions_.push_back(Note{std::to_string(head_.null_rounds_in_a_row()) +
                            " rounds in a row had too few accepted payloads" +
                            why_nobody_counts(sealed->record)});
  if (head_.unscreened_rounds_in_a_row() > 0 && params_.verification.unscreened_rounds_max > 0)
    actions_.push_back(
        Note{"round " + std::to_string(head_.round().value - 1) +
             " was sealed without a Screen of a validator with stake: nobody judged its payloads"});
  actions_.push_back(RoundSealed{Round{head_.round().value - 1}, sealed->manifest, sealed->record,
                                 *theta_root_,
                                 state::parameters_root(layout_, model_.downlink_residual)});
  end_round(now);
}

void Coordinator::end_round(TimeMs now) {
  round_ = RoundState{};
  membership_.begin_round();
  phase_ = Phase::kGather;
  phase_started_ = now;
  gathered_at_.reset();
  say_again_at_ = 0;
  const std::uint32_t doublings = std::min(head_.null_rounds_in_a_row(), 16u);
  not_before_ = doublings == 0
                    ? now
                    : now + std::min<TimeMs>(TimeMs{params_.timing.pause_ms} << (doublings - 1),
                                             params_.timing.pause_max_ms);
}

// After the last round: everybody's Ready shows that it is at the final state.
void Coordinator::maybe_finish(TimeMs now, Until until) {
  const bool waited = until == Until::kDeadline &&
                      now - phase_started_ >= static_cast<TimeMs>(params_.timing.gather_ms);
  if (!waited && !membership_.turnout(head_, params_.timing.quorum_percent).is_complete) return;
  finished_ = true;
  actions_.push_back(Broadcast{sign(final_state())});
  actions_.push_back(Finish{});
}

}  // namespace muster::coordinator
