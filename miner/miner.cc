#include "miner/miner.h"

#include <algorithm>

#include "base/printable.h"
#include "compression/segmented_blob.h"
#include "protocol/attestation.h"
#include "protocol/sealed_payload.h"

namespace muster::miner {

using protocol::MessageType;

Miner::Miner(const protocol::ProtocolParams& params, const SigningKey& key, const Config& config,
             std::shared_ptr<Conduct> conduct)
    : params_(params),
      layout_(state::layout_of(params.model)),
      key_(key),
      conduct_(std::move(conduct)),
      follower_(params, protocol::run_id_of(params), Role::kMiner),
      patience_(config.retry_ms),
      sitting_out_(config.restored) {}

Actions Miner::take_actions() { return std::exchange(actions_, {}); }

const protocol::RosterEntry* Miner::own_entry() const {
  return follower_.open() ? find_in_roster(follower_.open()->message, key_.public_key()) : nullptr;
}

const Bytes* Miner::own_commit() const {
  return signed_.round == head().round() && signed_.commit ? &*signed_.commit : nullptr;
}

const Bytes* Miner::own_reveal() const {
  return signed_.round == head().round() && signed_.reveal ? &*signed_.reveal : nullptr;
}

// ---- recovery

Status Miner::recover(ByteSpan message, bool in_state) {
  MUSTER_TRY(const wire::Envelope envelope, wire::open_envelope(message));
  const Bytes bytes(message.begin(), message.end());
  if (envelope.sender != key_.public_key()) {
    // Kept as proof. What is on its way is sent again all the same: the coordinator may have lost
    // what it acknowledged.
    if (is_a(envelope, MessageType::kReceipt)) return {};
    if (!in_state) {
      if (!is_a(envelope, MessageType::kManifest)) follower_.set_aside(message);
      return {};
    }
    MUSTER_TRY_STATUS(follower_.take(message));
    if (follower_.manifest() && follower_.open()) {
      follower_.advance();
      progress_ = Progress{};
    }
  } else if (is_a(envelope, MessageType::kJoined)) {
    if (!in_state) return {};
    MUSTER_TRY(const auto joined, protocol::read_body<protocol::Joined>(envelope));
    MUSTER_TRY(const auto head, wire::decode<protocol::HeadState>(joined.head, "chain head"));
    MUSTER_TRY_STATUS(validate(head));
    move_to(head);
  } else if (is_a(envelope, MessageType::kCommit) && envelope.round >= signed_.round) {
    MUSTER_TRY(const protocol::Commit commit, protocol::read_body<protocol::Commit>(envelope));
    signed_ = {envelope.round, bytes, commit.payload_id, {}};
  } else if (is_a(envelope, MessageType::kReveal) && envelope.round == signed_.round) {
    signed_.reveal = bytes;
  }
  return {};
}

Actions Miner::start(const Hash& theta_root, TimeMs now) {
  theta_root_ = theta_root;
  patience_.heard(now);
  follower_.file_what_was_set_aside();
  persist_news();
  sitting_out_.start(follower_);
  send_ready(now);
  advance(now);
  return take_actions();
}

// ---- inputs

Actions Miner::on_message(ByteSpan message, TimeMs now) {
  patience_.heard(now);
  if (follower_.take(message)) patience_.satisfied(now);
  persist_news();
  if (follower_.fork() && !progress_.accused) {
    progress_.accused = true;
    actions_.push_back(Accuse{protocol::DisputeReason::kForkedClose,
                              {follower_.fork()->first, follower_.fork()->second}});
  }
  if (auto refusal = follower_.take_refusal())
    actions_.push_back(Note{"the coordinator refuses this miner: " + printable(*refusal)});
  if (const auto phase = follower_.take_resume()) hand_back(*phase);
  advance(now);
  ask_for_what_was_missed(now);
  finish_run();
  return take_actions();
}

// Not behind the record that ends the round, or leaves it: read again, it would belong to a round
// that is over.
void Miner::persist_news() {
  for (Bytes& message : follower_.take_news())
    if (!progress_.applying && !adopting_)
      actions_.push_back(Persist{head().round(), std::move(message)});
}

// A coordinator that started again may know less of this round than it signed and acknowledged.
void Miner::hand_back(protocol::Phase phase) {
  for (Bytes& message : follower_.signed_after(phase)) actions_.push_back(Send{std::move(message)});
  if (own_commit() == nullptr || follower_.manifest()) return;
  actions_.push_back(Send{*own_commit()});
  actions_.push_back(UploadAgain{signed_.payload_id});
  if (own_reveal() != nullptr) actions_.push_back(Send{*own_reveal()});
}

// A message of a later round, or a manifest without its round's opening, shows that something is
// missing.
void Miner::ask_for_what_was_missed(TimeMs now) {
  const bool lacks_open = follower_.manifest() && !follower_.open();
  if (!(follower_.is_behind() || lacks_open) || progress_.applying || progress_.fetching ||
      adopting_ || joining_.under_way() || finished_)
    return;
  if (patience_.may_ask(now)) send_ready(now);
}

Actions Miner::on_trained(Round round, const protocol::TrainReport& report,
                          compression::Payload payload, TimeMs now) {
  if (round != head().round() || !progress_.training) return {};
  progress_.training = false;
  progress_.trained = true;
  payload = conduct_->payload(round, std::move(payload));
  const protocol::PayloadContext sealed{head().position().run_id, round, key_.public_key()};
  const CipherKey key = protocol::payload_key(key_, head().position().run_id, round);
  Bytes blob = protocol::seal_payload(sealed, key, layout_, payload);

  protocol::Commit commit;
  commit.payload_id = compression::blob_id(blob).value();
  commit.key_hash = protocol::payload_key_hash(sealed, key);
  commit.payload_bytes = blob.size();
  commit.sequences_used = conduct_->claims(report.sequences_used, params_.slice());
  commit.inner_steps = commit.sequences_used / params_.training.batch;
  signed_ = {round, sign(commit), commit.payload_id, {}};
  actions_.push_back(Upload{commit.payload_id, std::move(blob)});
  actions_.push_back(Persist{round, *signed_.commit});
  actions_.push_back(Send{*signed_.commit});
  advance(now);
  return take_actions();
}

Actions Miner::on_training_failed(Round round, const Error& error, TimeMs now) {
  if (round != head().round()) return {};
  progress_.training = false;
  progress_.trained = true;
  if (error.code != Errc::kCancelled) actions_.push_back(Note{"training failed: " + error.message});
  advance(now);
  return take_actions();
}

Actions Miner::on_blob(const Hash& id, ByteSpan blob, TimeMs now) {
  patience_.satisfied(now);
  if (joining_.wanted() == id) {
    take_checkpoint(blob, now);
    return take_actions();
  }
  // A checkpoint that is on its way replaces the state to which this aggregate belongs.
  if (progress_.applying || adopting_ || joining_.under_way()) return {};
  const auto& manifest = follower_.manifest();
  if (!manifest || !follower_.open() || manifest->message.aggregate_id != id) return {};
  auto payload = protocol::read_aggregate(head().position().run_id, head().round(), layout_,
                                          params_.downlink_format(head().round()), blob);
  auto update = payload ? compression::decode(layout_, *payload)
                        : Result<compression::SparseUpdate>(std::move(payload).error());
  if (!update) {
    actions_.push_back(Note{"the aggregate of round " + std::to_string(head().round().value) +
                            " does not decode: " + update.error().message});
    if (!progress_.accused)
      actions_.push_back(Accuse{protocol::DisputeReason::kAggregate, {manifest->bytes}});
    progress_.accused = true;
    return take_actions();
  }
  apply(std::make_shared<const compression::SparseUpdate>(std::move(*update)));
  return take_actions();
}

Actions Miner::on_applied(Round next, const Hash& theta_root, TimeMs now) {
  if (next != head().round().next() || !progress_.applying) return {};
  const bool again = head().round() < settled_;
  const auto outcome = own_outcome();
  if (!again)
    actions_.push_back(RoundDone{head().round(), outcome.value_or(protocol::OutcomeCode::kMissed),
                                 own_entry() != nullptr});
  theta_root_ = theta_root;
  follower_.advance();
  progress_ = Progress{};
  patience_.next_round();
  send_ready(now);
  return take_actions();
}

Actions Miner::on_tick(TimeMs now) {
  if (!finished_ && patience_.is_over(now)) {
    patience_.satisfied(now);
    resend(now);
    if (auto complaint = patience_.complaint(now, head().round()))
      actions_.push_back(Note{std::move(*complaint)});
  }
  return take_actions();
}

// ---- the round

void Miner::advance(TimeMs) {
  consider_offer();
  if (!follower_.open() || finished_ || joining_.under_way() || adopting_) return;
  check_own_state();
  if (adopting_) return;
  if (sitting_out_.take(follower_))
    actions_.push_back(Note{"restored from a copy: sits out round " +
                            std::to_string(head().round().value) +
                            ", in which it may have committed already"});
  if (follower_.manifest()) return finish_round();
  if (own_entry() == nullptr) return;
  const bool may_train = !progress_.training && !progress_.trained && own_commit() == nullptr &&
                         !sitting_out_.holds(head().round()) && signed_.round <= head().round() &&
                         conduct_->takes_part(head().round());
  if (may_train && !follower_.commits_closed()) begin_training();
  if (follower_.commits_closed() && own_commit() != nullptr) reveal_if_listed();
}

void Miner::begin_training() {
  progress_.training = true;
  Train train;
  train.task.round = head().round();
  train.task.sequences = conduct_->sequences(
      head().round(), assigned_sequences(head().position().run_id, follower_.open()->message,
                                         own_entry()->uid, params_.slice(), params_.sequences));
  train.task.inner_steps =
      static_cast<std::uint32_t>(train.task.sequences.size()) / params_.training.batch;
  train.format = params_.uplink_format(head().round());
  actions_.push_back(std::move(train));
}

bool Miner::committed_in_close() const {
  if (!follower_.commits_closed() || own_commit() == nullptr) return false;
  const auto& commits = follower_.commits_closed()->message.commits;
  return std::find(commits.begin(), commits.end(), *own_commit()) != commits.end();
}

void Miner::reveal_if_listed() {
  if (!committed_in_close()) {
    const Hash hash = wire::message_hash(*own_commit());
    const bool censored = follower_.has_receipt(protocol::ReceiptFor::kCommit, hash) &&
                          follower_.has_receipt(protocol::ReceiptFor::kBlob, signed_.payload_id);
    if (censored && !progress_.accused) {
      progress_.accused = true;
      std::vector<Bytes> proof = follower_.receipts();
      proof.push_back(*own_commit());
      proof.push_back(follower_.commits_closed()->bytes);
      actions_.push_back(Accuse{protocol::DisputeReason::kCensored, std::move(proof)});
    }
    if (!censored && !std::exchange(progress_.noted_as_left_out, true))
      actions_.push_back(
          Note{"round " + std::to_string(head().round().value) +
               " closed without this miner: the coordinator has sent no receipt for its " +
               (follower_.has_receipt(protocol::ReceiptFor::kCommit, hash) ? "payload" : "commit") +
               ", which came too late or was refused"});
    return;
  }
  if (own_reveal() != nullptr || !conduct_->reveals(head().round())) return;
  signed_.reveal =
      sign(protocol::Reveal{protocol::payload_key(key_, head().position().run_id, head().round()),
                            follower_.commits_closed()->message.commit_root});
  actions_.push_back(Persist{head().round(), *signed_.reveal});
  actions_.push_back(Send{*signed_.reveal});
}

void Miner::finish_round() {
  if (progress_.applying) return;
  if (progress_.training) {
    progress_.training = false;
    progress_.trained = true;
    actions_.push_back(StopTraining{});
  }
  const auto& manifest = follower_.manifest()->message;
  if (manifest.null_round) return apply(nullptr);
  if (!progress_.fetching) {
    progress_.fetching = true;
    actions_.push_back(Fetch{manifest.aggregate_id});
  }
}

protocol::Settlement Miner::settlement() const {
  if (own_commit() == nullptr) return protocol::Settlement::kMissed;
  const auto outcome = own_outcome();
  const bool judged =
      outcome == protocol::OutcomeCode::kAccepted || outcome == protocol::OutcomeCode::kRejected;
  return judged && !follower_.manifest()->message.null_round ? protocol::Settlement::kDelivered
                                                             : protocol::Settlement::kKept;
}

std::optional<protocol::OutcomeCode> Miner::own_outcome() const {
  const auto* entry = own_entry();
  if (entry == nullptr) return std::nullopt;
  return outcome_of(follower_.manifest()->message, follower_.open()->message, entry->uid);
}

void Miner::apply(std::shared_ptr<const compression::SparseUpdate> aggregate) {
  progress_.applying = true;
  if (aggregate) conduct_->saw_aggregate(head().round(), *aggregate);
  actions_.push_back(Persist{head().round(), follower_.manifest()->bytes});
  const auto outstanding = head().round() < settled_ ? std::nullopt : std::optional(settlement());
  actions_.push_back(Apply{head().round().next(), outstanding, std::move(aggregate)});
}

void Miner::send_ready(TimeMs now) {
  patience_.satisfied(now);
  actions_.push_back(Send{sign(protocol::Ready{Role::kMiner,
                                               head().state_id(),
                                               theta_root_,
                                               {},
                                               follower_.seen(),
                                               joining_.takes_checkpoint(head().round()),
                                               ledger_head_})});
}

// Everything that may have been lost on the way, again and verbatim.
void Miner::resend(TimeMs now) {
  if (progress_.applying || adopting_) return;
  send_ready(now);
  if (const auto checkpoint = joining_.wanted()) actions_.push_back(Fetch{*checkpoint});
  if (progress_.fetching) actions_.push_back(Fetch{follower_.manifest()->message.aggregate_id});
  if (own_commit() == nullptr || follower_.manifest()) return;
  if (!follower_.commits_closed()) {
    if (!follower_.has_receipt(protocol::ReceiptFor::kCommit, wire::message_hash(*own_commit())))
      actions_.push_back(Send{*own_commit()});
    if (!follower_.has_receipt(protocol::ReceiptFor::kBlob, signed_.payload_id))
      actions_.push_back(UploadAgain{signed_.payload_id});
  } else if (own_reveal() != nullptr && !follower_.has_receipt(protocol::ReceiptFor::kReveal,
                                                               wire::message_hash(*own_reveal()))) {
    actions_.push_back(Send{*own_reveal()});
  }
}

}  // namespace muster::miner
