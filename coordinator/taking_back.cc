// How a coordinator goes on whose folder was lost or is an older copy: it takes back from its nodes
// what it signed of the round after its newest, and never signs a second version of it.
#include "coordinator/coordinator.h"
#include "protocol/attestation.h"

namespace muster::coordinator {

using protocol::MessageType;
using protocol::Phase;

namespace {

bool is_same(const std::optional<Bytes>& own, ByteSpan bytes) {
  return !own || wire::message_hash(*own) == wire::message_hash(bytes);
}

bool is_form_of_one_miner(const wire::Envelope& envelope) {
  const auto has_excerpt = [](const auto& message) { return message && message->excerpt; };
  return has_excerpt(protocol::read_body<protocol::RoundOpen>(envelope)) ||
         has_excerpt(protocol::read_body<protocol::CommitsClosed>(envelope));
}

}  // namespace

// A message of its own that a node hands back; its signature is checked.
Status Coordinator::take_back(const PublicKey& from, const wire::Envelope& envelope, ByteSpan bytes,
                              TimeMs now) {
  MUSTER_TRY_STATUS(protocol::check_position(envelope, head_.position()));
  const auto type = MessageType{envelope.type};
  const std::string name(name_of(type));
  const auto own = type == MessageType::kRoundOpen && round_.open
                       ? std::optional(round_.open->bytes)
                   : type == MessageType::kCommitsClosed ? round_.commits_closed
                   : type == MessageType::kRevealsClosed ? round_.reveals_closed
                                                         : std::nullopt;
  if (!is_same(own, bytes)) {
    const Error forked{Errc::kConflict, "this coordinator has signed two versions of round " +
                                            std::to_string(head_.round().value) + "'s " + name +
                                            "; " + from.brief() +
                                            " has the other one, and stops with it as proof"};
    actions_.push_back(Note{forked.message});
    return forked;
  }
  if (is_form_of_one_miner(envelope)) return wait_for_the_whole(type);
  if (type == MessageType::kManifest && phase_ == Phase::kScreen)
    return take_back_manifest(bytes, now);
  if (type == MessageType::kRoundOpen && phase_ == Phase::kGather) {
    MUSTER_TRY_STATUS(enter_train(bytes));
  } else if (type == MessageType::kCommitsClosed && phase_ == Phase::kTrain) {
    MUSTER_TRY_STATUS(enter_reveal(bytes));
  } else if (type == MessageType::kRevealsClosed && phase_ == Phase::kReveal) {
    MUSTER_TRY_STATUS(enter_screen(bytes));
  } else {
    return {};
  }
  phase_started_ = now;
  gathered_at_.reset();
  say_again_at_ = 0;
  Bytes message(bytes.begin(), bytes.end());
  if (phase_ == Phase::kScreen) {
    persist_for_validators(std::move(message));
  } else {
    persist_and_distribute(std::move(message),
                           phase_ == Phase::kTrain ? *round_.open_forms : *round_.close_forms);
  }
  if (phase_ == Phase::kReveal) {
    end_uploads();
    expect_payloads();
  }
  // What nodes sent in this round was acknowledged, and is lost too.
  actions_.push_back(Broadcast{sign(protocol::RoundResume{phase_, round_.hard_ms})});
  actions_.push_back(Note{"took back the " + name + " of round " +
                          std::to_string(head_.round().value) + " from " + from.brief()});
  return {};
}

// A miner has only its own part of the list. It shows that the round is open; a validator has the
// whole message.
Status Coordinator::wait_for_the_whole(MessageType type) {
  if (type != MessageType::kRoundOpen || phase_ != Phase::kGather) return {};
  if (!std::exchange(lost_open_, true))
    actions_.push_back(Note{
        "round " + std::to_string(head_.round().value) +
        " is open already, and this folder lacks its opening: no other is signed. A validator that "
        "saw the round open hands it back; start one"});
  return {};
}

// The round is sealed. Without what the manifest rests on there is no going on from here, and no
// other seal.
Status Coordinator::take_back_manifest(ByteSpan bytes, TimeMs now) {
  MUSTER_TRY(const auto manifest, protocol::open_at<protocol::Manifest>(bytes, head_.position()));
  const Round round = head_.round();
  const bool complete = blobs_(manifest.message.record_id) &&
                        std::ranges::all_of(round_.commits, [&](const auto& commit) {
                          return blobs_(commit.second.message.payload_id).has_value();
                        });
  if (!complete) {
    if (!std::exchange(lost_seal_, true))
      actions_.push_back(Note{
          "round " + std::to_string(round.value) +
          " is sealed already, and this folder lacks what its manifest rests on: nothing more is "
          "signed. Stop, move this folder away, and start with --rebuild-from the folder of a "
          "validator that has applied the round"});
    return {};
  }
  MUSTER_TRY_STATUS(apply_manifest(bytes));
  actions_.push_back(Persist{round, Bytes(bytes.begin(), bytes.end())});
  actions_.push_back(Broadcast{Bytes(bytes.begin(), bytes.end())});
  actions_.push_back(Note{"took back the Manifest of round " + std::to_string(round.value)});
  end_round(now);
  return {};
}

// Those of this round's commits that are not here; their miners offer them again.
void Coordinator::expect_payloads() {
  for (const auto& [uid, commit] : round_.commits) {
    if (blobs_(commit.message.payload_id)) {
      round_.uploaded.insert(uid);
    } else {
      actions_.push_back(
          ExpectUpload{commit.sender, commit.message.payload_id, commit.message.payload_bytes});
    }
  }
}

// In TRAIN its upload may be on its way.
bool Coordinator::lacks_payload_of(const PublicKey& miner) const {
  if (phase_ != Phase::kReveal && phase_ != Phase::kScreen) return false;
  const auto* entry = protocol::find_in_roster(round_.open->message, miner);
  const auto commit = entry == nullptr ? round_.commits.end() : round_.commits.find(entry->uid);
  return commit != round_.commits.end() && !blobs_(commit->second.message.payload_id);
}

// ---- a folder that was rebuilt from the state before `base_`

Status Coordinator::recover_base(const wire::Envelope& envelope) {
  MUSTER_TRY(const auto joined, protocol::read_body<protocol::Joined>(envelope));
  MUSTER_TRY(auto state, wire::decode<protocol::HeadState>(joined.head, "chain head"));
  MUSTER_TRY_STATUS(validate(state));
  if (envelope.sender != key_.public_key() || envelope.run_id != head_.position().run_id)
    return Error{Errc::kWrongRun, "a rebuilt folder of another coordinator or run"};
  if (model_round_ < state.round)
    return Error{
        Errc::kNotFound,
        "the state before round " + std::to_string(state.round.value) +
            ", from which this rebuilt folder goes on, is not among the blobs, or damaged; "
            "move the folder away and rebuild it again with --rebuild-from"};
  base_ = state.round;
  head_ = protocol::ChainHead(params_, envelope.run_id, std::move(state));
  return meet_checkpoint();
}

std::vector<Bytes> Coordinator::attestations_of_state() const {
  if (round_.open) return round_.open->message.attestations;
  std::vector<Bytes> attestations;
  for (const auto& [hotkey, attest] : round_.attestations) attestations.push_back(attest);
  return attestations;
}

// As whoever is offered a checkpoint counts it: by the validators' stake on the ledger.
bool Coordinator::is_attested_by_most(const std::vector<Bytes>& attestations) const {
  const auto stakes = protocol::validator_stakes(members());
  return protocol::attested_by_majority(head_.position(), attestations, stakes).has_value();
}

// A node that is behind the records is brought on by a checkpoint only: the first that is attested.
Status Coordinator::help_without_records(const PublicKey& hotkey, Round round,
                                         const protocol::Ready& ready, TimeMs now) {
  const std::string behind = "round " + std::to_string(round.value) + " is before round " +
                             std::to_string(base_.value) +
                             ", where the records of this rebuilt coordinator begin";
  if (!ready.takes_checkpoint) {
    const Error refused{
        Errc::kNotFound,
        behind + ", and the node takes no checkpoint any more: start the node again"};
    refuse_ready(hotkey, refused, now);
    return refused;
  }
  if (checkpoint_) {
    actions_.push_back(Send{hotkey, *checkpoint_});
    return {};
  }
  if (auto attestations = attestations_of_state();
      !pending_checkpoint_ && is_attested_by_most(attestations))
    write_checkpoint(std::move(attestations));
  const Error waits{Errc::kNotFound,
                    behind +
                        ": a checkpoint follows when validators with most of the stake have "
                        "attested the state"};
  refuse_ready(hotkey, waits, now);
  return waits;
}

}  // namespace muster::coordinator
