// What a coordinator answers to a Ready: what of the round or of the past the node lacks, or why it
// is refused.
#include "coordinator/coordinator.h"
#include "state/state_root.h"

namespace muster::coordinator {

using protocol::Phase;

namespace {

constexpr TimeMs kSayAgainMs = 10'000;  // at most that often to one hotkey

}  // namespace

Status Coordinator::handle_ready(const wire::Envelope& envelope, TimeMs now) {
  MUSTER_TRY(const protocol::Ready ready, protocol::read_body<protocol::Ready>(envelope));
  if (envelope.run_id != head_.position().run_id)
    return Error{Errc::kWrongRun, "Ready for another run"};
  if (Status checked = check_ready(envelope, ready); !checked) {
    refuse_ready(envelope.sender, checked.error(), now);
    return checked;
  }
  if (ready.ledger_head) actions_.push_back(CompareHeads{{{envelope.sender, *ready.ledger_head}}});
  if (envelope.round < head_.round()) {
    return help_catch_up(envelope.sender, envelope.round, ready, now);
  }
  if (finished_) {
    actions_.push_back(Send{envelope.sender, sign(final_state())});
    return {};
  }
  if (theta_root_ && ready.theta_root != *theta_root_) {
    // Who was ready before is not now: a state that is damaged between two rounds has no say about
    // the next one.
    membership_.withdraw(envelope.sender);
    // The attestations in it show the node that it is wrong.
    if (round_.open) send_open(envelope.sender);
    const Error wrong{Errc::kBadHash, "θ of " + envelope.sender.brief() + " has root " +
                                          ready.theta_root.brief() + ", the coordinator's " +
                                          theta_root_->brief() + " at the same state"};
    refuse_ready(envelope.sender, wrong, now);
    return wrong;
  }
  // It has seen what this coordinator signed and no longer knows; until then the node is not ready
  // for anything else. Or its payload was lost with the folder, and it was not connected yet when
  // everybody was asked.
  if (ready.seen > phase_ || lacks_payload_of(envelope.sender)) {
    actions_.push_back(Send{envelope.sender, sign(protocol::RoundResume{phase_, round_.hard_ms})});
    return {};
  }
  if (round_.open && protocol::find_in_roster(round_.open->message, envelope.sender) != nullptr) {
    answer_ready(envelope.sender, ready);
    return {};
  }
  if (Status permitted = check_permit(envelope.sender, ready.role); !permitted) {
    refuse_ready(envelope.sender, permitted.error(), now);
    return permitted;
  }
  if (phase_ == Phase::kGather) {
    membership_.set_ready(envelope.sender, ready);
    if (phase_started_ == 0) phase_started_ = now;
  } else {
    membership_.set_following(envelope.sender, ready);
  }
  answer_ready(envelope.sender, ready);
  return {};
}

Status Coordinator::check_ready(const wire::Envelope& envelope,
                                const protocol::Ready& ready) const {
  if (ready.role != Role::kMiner && ready.role != Role::kValidator)
    return Error{Errc::kPermission, "a Ready as " + std::string(name_of(ready.role)) +
                                        ": only miners and validators are in "
                                        "a round; start `muster miner` or `muster validator`"};
  if (envelope.round > head_.round())
    return Error{
        Errc::kWrongRound,
        "a Ready for round " + std::to_string(envelope.round.value) +
            ", but the coordinator is at round " + std::to_string(head_.round().value) +
            "; was the coordinator's folder lost or replaced by an older one? `muster coordinator"
            " --rebuild-from SOURCE` makes it again, from the folder of a validator that is at "
            "this round"};
  if (envelope.round == head_.round() && ready.state_id != head_.state_id())
    return Error{Errc::kWrongRound, "a Ready at another state of round " +
                                        std::to_string(envelope.round.value) +
                                        " than the coordinator's"};
  return {};
}

// Of who wants to be in the coming round. Whoever lacks it may still follow.
Status Coordinator::check_permit(const PublicKey& hotkey, Role role) const {
  const Member* member = membership_.find(hotkey);
  if (role != Role::kValidator || member->may_validate) return {};
  return Error{Errc::kPermission,
               "a Ready as validator, but hotkey " + hotkey.brief() + " (uid " +
                   std::to_string(member->uid.value) + ") may not validate at block " +
                   std::to_string(membership_.ledger().block) +
                   " of the ledger. It has a stake of " + std::to_string(member->stake) +
                   " rao; the end of an epoch gives permits to the largest stakes of at least the "
                   "ledger's threshold. "
                   "`muster ledger stake add` raises the stake, `muster ledger register` says what "
                   "is lacking"};
}

// The node hears the reason, and so does whoever reads the coordinator's log; both now and then.
void Coordinator::refuse_ready(const PublicKey& hotkey, const Error& why, TimeMs now) {
  const auto [sent, first] = refusal_sent_.try_emplace(hotkey, now);
  if (!first && now - sent->second < kSayAgainMs) return;
  sent->second = now;
  actions_.push_back(Send{hotkey, sign(protocol::Refused{why.message})});
  actions_.push_back(Note{why.message});
}

protocol::Finished Coordinator::final_state() const {
  return {head_.state_id(), state::parameters_root(layout_, model_.theta)};
}

Status Coordinator::help_catch_up(const PublicKey& hotkey, Round round,
                                  const protocol::Ready& ready, TimeMs now) {
  if (round < base_) return help_without_records(hotkey, round, ready, now);
  if (ready.takes_checkpoint && checkpoint_ &&
      checkpoint_round_.value >= round.value + config_.offer_after) {
    actions_.push_back(Send{hotkey, *checkpoint_});
  } else {
    actions_.push_back(ReplayRound{hotkey, round, ready.role == Role::kValidator});
  }
  return {};
}

// Sends what of the open round the node has not seen. Who is not in its roster follows it all the
// same, and is in the next one.
void Coordinator::answer_ready(const PublicKey& hotkey, const protocol::Ready& ready) {
  if (!round_.open) return;
  if (ready.seen < Phase::kTrain) send_open(hotkey);
  if (ready.seen < Phase::kReveal && round_.commits_closed) {
    const bool is_miner = ready.role == Role::kMiner;
    actions_.push_back(
        Send{hotkey, is_miner ? round_.close_forms->form_for(hotkey) : *round_.commits_closed});
  }
  if (ready.seen < Phase::kScreen && round_.reveals_closed && ready.role == Role::kValidator)
    actions_.push_back(Send{hotkey, *round_.reveals_closed});
}

}  // namespace muster::coordinator
