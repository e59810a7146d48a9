#include "coordinator/coordinator.h"

#include <algorithm>

#include "base/limits.h"
#include "protocol/dispute.h"
#include "protocol/sealed_payload.h"
#include "state/outer_step.h"
#include "state/state_root.h"

namespace muster::coordinator {

using protocol::Phase;

Coordinator::Coordinator(const protocol::ProtocolParams& params, const SigningKey& key,
                         const Config& config, ModelMemory model, protocol::BlobReader blobs)
    : params_(params),
      layout_(state::layout_of(params.model)),
      key_(key),
      config_(config),
      model_(std::move(model)),
      model_round_(model_.checkpoint ? model_.checkpoint->round : Round{0}),
      blobs_(std::move(blobs)),
      head_(params, protocol::run_id_of(params)) {
  set_next_checkpoint(Round{0});
  MUSTER_CHECK(model_.theta.size() == layout_.parameters() &&
                   model_.downlink_residual.size() == layout_.parameters(),
               "the memory of another model");
}

void Coordinator::persist_and_broadcast(Bytes message) {
  actions_.push_back(Persist{head_.round(), message});
  actions_.push_back(Broadcast{std::move(message)});
}

void Coordinator::persist_for_validators(Bytes message) {
  actions_.push_back(Persist{head_.round(), message});
  actions_.push_back(Broadcast{std::move(message), Role::kValidator});
}

void Coordinator::persist_and_distribute(Bytes message, const protocol::MinerForms& forms) {
  persist_for_validators(std::move(message));
  for (const Member& member : members())
    if (role_of(member.hotkey) == Role::kMiner)
      actions_.push_back(Send{member.hotkey, forms.form_for(member.hotkey)});
}

void Coordinator::send_open(const PublicKey& to) {
  actions_.push_back(
      Send{to, role_of(to) == Role::kMiner ? round_.open_forms->form_for(to) : round_.open->bytes});
}

Role Coordinator::role_of(const PublicKey& hotkey) const {
  const auto* entry =
      round_.open ? protocol::find_in_roster(round_.open->message, hotkey) : nullptr;
  return entry != nullptr ? entry->role : membership_.role_of(head_, hotkey);
}

void Coordinator::send_receipt(const PublicKey& to, protocol::ReceiptFor what,
                               const Hash& subject) {
  actions_.push_back(Send{to, sign(protocol::Receipt{what, subject})});
}

Actions Coordinator::take_actions() { return std::exchange(actions_, {}); }

protocol::RoundContext Coordinator::context() const {
  return {params_, layout_, head_.position(), head_.norm_max(), config_.threads};
}

std::optional<Bytes> ReplayRound::answer_of(ByteSpan record, const wire::Envelope& envelope) const {
  if (with_closes || is_a(envelope, protocol::MessageType::kManifest))
    return Bytes(record.begin(), record.end());
  if (is_a(envelope, protocol::MessageType::kRoundOpen))
    return protocol::MinerForms(record).form_for(to);
  return std::nullopt;
}

// ---- inputs

Actions Coordinator::on_message(const PublicKey& channel, ByteSpan message, TimeMs now) {
  auto handle = [&]() -> Status {
    MUSTER_TRY(wire::Envelope envelope, wire::reread_envelope(message));
    const bool own = envelope.sender == key_.public_key();
    if (envelope.sender != channel && !own)
      return Error{Errc::kPermission, "a message that its channel's hotkey did not sign"};
    if (membership_.find(channel) == nullptr)
      return Error{Errc::kPermission, "a hotkey that is not on the ledger"};
    MUSTER_TRY(envelope, wire::open_envelope(message));
    if (own) return take_back(channel, envelope, message, now);
    switch (protocol::MessageType{envelope.type}) {
      case protocol::MessageType::kReady:
        return handle_ready(envelope, now);
      case protocol::MessageType::kCommit:
        return handle_commit(message, now);
      case protocol::MessageType::kReveal:
        return handle_reveal(message, now);
      case protocol::MessageType::kScreen:
        return handle_screen(message, now);
      case protocol::MessageType::kAttest:
        return handle_attest(message);
      case protocol::MessageType::kDispute:
        return handle_dispute(envelope, message);
      default:
        return Error{Errc::kPermission, "a message that only the coordinator sends"};
    }
  };
  if (const Status handled = handle(); !handled)
    ++refused_[std::string(name_of(handled.error().code))];
  advance(now, Until::kComplete);
  return take_actions();
}

Actions Coordinator::on_blob(const PublicKey& from, const Hash& id, TimeMs now) {
  const auto* entry = phase_ == Phase::kTrain && round_.open
                          ? protocol::find_in_roster(round_.open->message, from)
                          : nullptr;
  const auto commit = entry == nullptr ? round_.commits.end() : round_.commits.find(entry->uid);
  if (commit != round_.commits.end() && commit->second.message.payload_id == id) {
    round_.uploaded.insert(entry->uid);
    send_receipt(from, protocol::ReceiptFor::kBlob, id);
  }
  advance(now, Until::kComplete);
  return take_actions();
}

Actions Coordinator::on_ledger(LedgerView view, TimeMs now) {
  membership_.set_ledger(std::move(view));
  std::erase_if(refusal_sent_,
                [&](const auto& sent) { return membership_.find(sent.first) == nullptr; });
  advance(now, Until::kComplete);
  return take_actions();
}

Actions Coordinator::on_checkpoint(const Hash& id, TimeMs now) {
  MUSTER_CHECK(pending_checkpoint_, "a checkpoint that nobody asked for");
  protocol::CheckpointOffer offer = *std::exchange(pending_checkpoint_, {});
  offer.checkpoint.blob_id = id;
  checkpoint_ = protocol::sign_message(offer.position, offer.checkpoint, key_);
  checkpoint_round_ = offer.position.round;
  actions_.push_back(Persist{checkpoint_round_, *checkpoint_});
  advance(now, Until::kComplete);
  return take_actions();
}

Actions Coordinator::on_tick(TimeMs now) {
  advance(now, Until::kDeadline);
  say_what_is_awaited(now);
  return take_actions();
}

Actions Coordinator::start(TimeMs now) {
  started_ = true;
  phase_started_ = now;
  may_lack_open_ = phase_ == Phase::kGather && !head_.last_roster().empty();
  if (config_.restored) hold_until_ = now + TimeMs{params_.timing.gather_ms};
  expect_payloads();
  MUSTER_CHECK(model_round_ <= head_.round(), "a checkpoint ahead of its journal");
  if (phase_ == Phase::kTrain || phase_ == Phase::kReveal || phase_ == Phase::kScreen)
    actions_.push_back(Broadcast{sign(protocol::RoundResume{phase_, round_.hard_ms})});
  advance(now, Until::kComplete);
  return take_actions();
}

namespace {

// Keeps the first of what may exist once. A second, different one is evidence.
// Returns true when `message` is new.
template <class Message>
bool keep_first(std::map<Uid, protocol::Signed<Message>>& kept, Uid uid,
                protocol::Signed<Message> message, std::vector<protocol::Evidence>& evidence) {
  const auto found = kept.find(uid);
  if (found == kept.end()) {
    kept.emplace(uid, std::move(message));
    return true;
  }
  if (found->second.bytes != message.bytes) {
    protocol::Evidence proof{found->second.bytes, message.bytes};
    const bool known = std::any_of(evidence.begin(), evidence.end(),
                                   [&](const auto& item) { return item.first == proof.first; });
    if (!known) evidence.push_back(std::move(proof));
  }
  return false;
}

}  // namespace

Status Coordinator::handle_commit(ByteSpan bytes, TimeMs) {
  MUSTER_TRY(auto commit, protocol::open_at<protocol::Commit>(bytes, head_.position()));
  if (!round_.open) return Error{Errc::kWrongRound, "Commit before the round is open"};
  const auto* entry = protocol::find_in_roster(round_.open->message, commit.sender);
  if (entry == nullptr || entry->role != Role::kMiner)
    return Error{Errc::kPermission, "Commit by who is no miner of the roster"};
  const auto known = round_.commits.find(entry->uid);
  if (phase_ != Phase::kTrain && known == round_.commits.end())
    return Error{Errc::kWrongRound, "Commit after the close"};
  if (known == round_.commits.end() && started_)
    MUSTER_TRY_STATUS(check_payload_named(commit.message));
  const PublicKey sender = commit.sender;
  const Hash hash = wire::message_hash(bytes);
  const protocol::Commit named = commit.message;
  const std::size_t evidence_before = round_.evidence.size();
  const bool fresh = keep_first(round_.commits, entry->uid, std::move(commit), round_.evidence);
  if (fresh || round_.evidence.size() > evidence_before)
    actions_.push_back(Persist{head_.round(), Bytes(bytes.begin(), bytes.end())});
  if (fresh || known->second.bytes == Bytes(bytes.begin(), bytes.end())) {
    send_receipt(sender, protocol::ReceiptFor::kCommit, hash);
    if (round_.uploaded.contains(entry->uid)) {
      send_receipt(sender, protocol::ReceiptFor::kBlob, named.payload_id);
    } else if (phase_ == Phase::kTrain) {
      actions_.push_back(ExpectUpload{sender, named.payload_id, named.payload_bytes});
    }
  }
  return {};
}

// A commit names a blob that its own hotkey will upload in this round, no larger than the format
// allows.
Status Coordinator::check_payload_named(const protocol::Commit& commit) const {
  if (commit.payload_bytes == 0 || commit.payload_bytes > round_.payload_bytes_max)
    return Error{Errc::kTooLarge, "Commit to a payload of " + std::to_string(commit.payload_bytes) +
                                      " bytes, at most " +
                                      std::to_string(round_.payload_bytes_max)};
  // Whoever has it from elsewhere could have it deleted with what no close lists.
  if (blobs_(commit.payload_id))
    return Error{Errc::kConflict, "Commit to a blob that is here already"};
  for (const auto& [uid, other] : round_.commits)
    if (other.message.payload_id == commit.payload_id)
      return Error{Errc::kConflict, "Commit to the payload of uid " + std::to_string(uid.value)};
  return {};
}

Status Coordinator::handle_reveal(ByteSpan bytes, TimeMs) {
  MUSTER_TRY(auto reveal, protocol::open_at<protocol::Reveal>(bytes, head_.position()));
  if (phase_ != Phase::kReveal && phase_ != Phase::kScreen)
    return Error{Errc::kWrongRound, "Reveal outside its phase"};
  const auto* entry = protocol::find_in_roster(round_.open->message, reveal.sender);
  if (entry == nullptr || !round_.commits.contains(entry->uid))
    return Error{Errc::kPermission, "Reveal by who has no commit in the close"};
  if (reveal.message.commit_root != round_.commit_root)
    return Error{Errc::kConflict, "Reveal that answers another close"};
  const protocol::PayloadContext sealed{head_.position().run_id, head_.round(), reveal.sender};
  if (protocol::payload_key_hash(sealed, reveal.message.key) !=
      round_.commits.at(entry->uid).message.key_hash)
    return Error{Errc::kBadHash, "Reveal of another key than the committed one"};
  const auto known = round_.reveals.find(entry->uid);
  if (known == round_.reveals.end() && phase_ != Phase::kReveal)
    return Error{Errc::kWrongRound, "Reveal after the close"};
  if (known == round_.reveals.end()) {
    actions_.push_back(Persist{head_.round(), Bytes(bytes.begin(), bytes.end())});
    round_.reveals.emplace(entry->uid, reveal);
  }
  send_receipt(reveal.sender, protocol::ReceiptFor::kReveal, wire::message_hash(bytes));
  return {};
}

Status Coordinator::handle_screen(ByteSpan bytes, TimeMs) {
  MUSTER_TRY(auto screen, protocol::open_at<protocol::Screen>(bytes, head_.position()));
  if (phase_ != Phase::kScreen) return Error{Errc::kWrongRound, "Screen outside its phase"};
  const auto* entry = protocol::find_in_roster(round_.open->message, screen.sender);
  if (entry == nullptr || entry->role != Role::kValidator)
    return Error{Errc::kPermission, "Screen by who is no validator of the roster"};
  if (screen.message.commit_root != round_.commit_root)
    return Error{Errc::kConflict, "Screen about another close"};
  const PublicKey sender = screen.sender;
  const std::size_t evidence_before = round_.evidence.size();
  if (keep_first(round_.screens, entry->uid, std::move(screen), round_.evidence) ||
      round_.evidence.size() > evidence_before)
    actions_.push_back(Persist{head_.round(), Bytes(bytes.begin(), bytes.end())});
  send_receipt(sender, protocol::ReceiptFor::kScreen, wire::message_hash(bytes));
  return {};
}

Status Coordinator::handle_attest(ByteSpan bytes) {
  MUSTER_TRY(auto attest, protocol::open_at<protocol::Attest>(bytes, head_.position()));
  if (!membership_.find(attest.sender)->may_validate)
    return Error{Errc::kPermission, "Attest by who has no permit to validate"};
  if (attest.message.manifest_hash != head_.position().parent)
    return Error{Errc::kConflict, "Attest about another manifest"};
  if (phase_ != Phase::kGather || round_.attestations.contains(attest.sender)) return {};
  if (attest.message.ledger_head)
    actions_.push_back(CompareHeads{{{attest.sender, *attest.message.ledger_head}}});
  actions_.push_back(Persist{head_.round(), attest.bytes});
  round_.attestations[attest.sender] = std::move(attest.bytes);
  return {};
}

// Kept once for each round and reason, of the round that is open and the one before; each hotkey is
// heard once a round. A node that finds out later keeps its proof itself.
Status Coordinator::handle_dispute(const wire::Envelope& envelope, ByteSpan bytes) {
  if (bytes.size() > limits::kDisputeBytesMax)
    return Error{Errc::kTooLarge, "Dispute of " + std::to_string(bytes.size()) + " bytes"};
  if (envelope.run_id != head_.position().run_id)
    return Error{Errc::kWrongRun, "Dispute about another run"};
  if (envelope.round > head_.round() || envelope.round.next() < head_.round())
    return Error{Errc::kWrongRound, "Dispute about a round that is long over, or not open yet"};
  std::erase_if(disputes_, [&](const auto& key) { return key.first.next() < head_.round(); });
  std::erase_if(disputants_, [&](const auto& key) { return key.first.next() < head_.round(); });
  if (!disputants_.insert({envelope.round, envelope.sender}).second)
    return Error{Errc::kPermission, "a second Dispute of one hotkey about one round"};
  MUSTER_TRY(const protocol::Dispute dispute, protocol::read_body<protocol::Dispute>(envelope));
  MUSTER_TRY_STATUS(protocol::check_dispute(dispute, envelope.sender, params_.coordinator,
                                            envelope.run_id, envelope.round));
  if (!disputes_.insert({envelope.round, dispute.reason}).second) return {};
  // Structure is all that is checked, so what a run keeps of them has an end. Who signed one has
  // it.
  if (dispute_bytes_ + bytes.size() > limits::kDisputesBytesMax)
    return Error{Errc::kTooLarge, "Dispute: the archive has its share of them already"};
  dispute_bytes_ += bytes.size();
  actions_.push_back(Persist{head_.round(), Bytes(bytes.begin(), bytes.end())});
  actions_.push_back(Note{"dispute by " + envelope.sender.brief() + " about round " +
                          std::to_string(envelope.round.value) + ": " +
                          std::string(name_of(dispute.reason))});
  return {};
}

// ---- recovery

Status Coordinator::recover(ByteSpan message) {
  MUSTER_TRY(const wire::Envelope envelope, wire::open_envelope(message));
  if (is_a(envelope, protocol::MessageType::kDispute)) {
    dispute_bytes_ += message.size();
    return {};
  }
  if (is_a(envelope, protocol::MessageType::kJoined)) return recover_base(envelope);
  if (is_a(envelope, protocol::MessageType::kCheckpoint)) {
    MUSTER_TRY(const auto checkpoint, protocol::read_body<protocol::Checkpoint>(envelope));
    set_next_checkpoint(envelope.round);
    if (checkpoint.attestations.empty()) return {};  // nobody would take it
    checkpoint_ = Bytes(message.begin(), message.end());
    checkpoint_round_ = envelope.round;
    return {};
  }
  MUSTER_TRY_STATUS(protocol::check_position(envelope, head_.position()));
  const bool followed_only = is_a(envelope, protocol::MessageType::kRoundOpen) ||
                             is_a(envelope, protocol::MessageType::kManifest);
  if (head_.round() < model_round_ && !followed_only) return {};
  auto by_peer = [&](auto&& handle) -> Status {
    Status status = handle();
    actions_.clear();
    return status;
  };
  switch (protocol::MessageType{envelope.type}) {
    case protocol::MessageType::kRoundOpen:
      return enter_train(message);
    case protocol::MessageType::kCommit:
      return by_peer([&] { return handle_commit(message, 0); });
    case protocol::MessageType::kCommitsClosed:
      return enter_reveal(message);
    case protocol::MessageType::kReveal:
      return by_peer([&] { return handle_reveal(message, 0); });
    case protocol::MessageType::kRevealsClosed:
      return enter_screen(message);
    case protocol::MessageType::kScreen:
      return by_peer([&] { return handle_screen(message, 0); });
    case protocol::MessageType::kManifest:
      return apply_manifest(message);
    case protocol::MessageType::kAttest:
      round_.attestations[envelope.sender] = Bytes(message.begin(), message.end());
      return {};
    default:
      return Error{Errc::kMalformed, "a journal record of a kind that is never persisted"};
  }
}

Status Coordinator::enter_train(ByteSpan open) {
  MUSTER_TRY(auto opened, protocol::open_at<protocol::RoundOpen>(open, head_.position()));
  if (opened.message.excerpt) return protocol::not_whole("RoundOpen");
  MUSTER_TRY_STATUS(head_.check_open(opened.message));
  round_ = RoundState{};
  round_.open_hash = wire::message_hash(open);
  round_.open = std::move(opened);
  round_.open_forms.emplace(open);
  round_.hard_ms = round_.open->message.train_ms;
  round_.payload_bytes_max =
      protocol::sealed_bytes_max(layout_, params_.uplink_format(head_.round()));
  phase_ = Phase::kTrain;
  may_lack_open_ = lost_open_ = false;
  return {};
}

Status Coordinator::enter_reveal(ByteSpan closed) {
  MUSTER_TRY(auto opened, protocol::open_at<protocol::CommitsClosed>(closed, head_.position()));
  MUSTER_TRY(round_.commits,
             protocol::read_commits(head_.position(), round_.open->message, opened.message));
  round_.commits_closed = Bytes(closed.begin(), closed.end());
  round_.close_forms.emplace(closed);
  round_.commit_root = opened.message.commit_root;
  round_.hard_ms = round_.open->message.reveal_ms;
  round_.quorum_at.reset();
  phase_ = Phase::kReveal;
  return {};
}

Status Coordinator::enter_screen(ByteSpan closed) {
  MUSTER_TRY(auto opened, protocol::open_at<protocol::RevealsClosed>(closed, head_.position()));
  MUSTER_TRY(round_.reveals, protocol::read_reveals(head_.position(), round_.open->message,
                                                    round_.commits, opened.message));
  round_.payloads.clear();
  round_.payloads_open = false;
  round_.reveals_closed = Bytes(closed.begin(), closed.end());
  round_.reveals_hash = wire::message_hash(closed);
  round_.hard_ms = round_.open->message.screen_ms;
  round_.quorum_at.reset();
  phase_ = Phase::kScreen;
  return {};
}

Result<protocol::SealedRound> Coordinator::make_seal(
    const std::vector<Bytes>& screens, const std::vector<protocol::Evidence>& evidence,
    const std::map<Uid, std::uint32_t>& arrivals) {
  const protocol::SealInputs inputs{context(),
                                    head_,
                                    round_.open->message,
                                    round_.open_hash,
                                    round_.reveals_hash,
                                    round_.commit_root,
                                    round_.payloads,
                                    arrivals,
                                    screens,
                                    evidence};
  return protocol::seal(inputs, model_.downlink_residual);
}

void Coordinator::step_model(const protocol::SealedRound& sealed) {
  if (!sealed.manifest.null_round) {
    const Status stepped =
        state::outer_step(model_.theta, layout_, sealed.aggregate,
                          params_.compression.outer_learning_rate, config_.threads);
    MUSTER_CHECK(stepped.has_value(), stepped ? "" : stepped.error().message);
  }
  model_round_ = model_round_.next();
  theta_root_ = state::parameters_root(layout_, model_.theta);
}

// Where the history reaches the state that the model was loaded from.
Status Coordinator::meet_checkpoint() {
  if (!model_.checkpoint || head_.round() != model_.checkpoint->round) return {};
  if (wire::encode(head_.state()) != wire::encode(*model_.checkpoint))
    return Error{Errc::kConflict, "the checkpoint of round " + std::to_string(head_.round().value) +
                                      " is not of this journal's history"};
  theta_root_ = state::parameters_root(layout_, model_.theta);
  return {};
}

Status Coordinator::apply_manifest(ByteSpan bytes) {
  MUSTER_TRY(auto manifest, protocol::open_at<protocol::Manifest>(bytes, head_.position()));
  MUSTER_TRY_STATUS(protocol::fits_roster(manifest.message, round_.open->message));
  if (model_round_ == head_.round()) {
    MUSTER_TRY(const Bytes blob, blobs_(manifest.message.record_id));
    MUSTER_TRY(const auto record, protocol::decode_record(blob));
    MUSTER_TRY(round_.payloads,
               protocol::open_payloads(context(), round_.commits, round_.reveals, blobs_));
    MUSTER_TRY(auto sealed,
               make_seal(record.screens, record.evidence, protocol::arrivals_of(record)));
    if (wire::encode(sealed.manifest) != wire::encode(manifest.message)) {
      return Error{Errc::kConflict, "round " + std::to_string(head_.round().value) +
                                        ": sealing it again gives another manifest"};
    }
    step_model(sealed);
  }
  head_.advance(wire::message_hash(bytes), round_.open->message, manifest.message);
  MUSTER_TRY_STATUS(meet_checkpoint());
  round_ = RoundState{};
  membership_.begin_round();
  phase_ = Phase::kGather;
  return {};
}

}  // namespace muster::coordinator
