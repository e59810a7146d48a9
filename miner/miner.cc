#include "miner/miner.h"

#include <algorithm>

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
      config_(config),
      conduct_(std::move(conduct)),
      follower_(params, protocol::run_id_of(params)) {}

template <class Message>
Bytes Miner::sign(const Message& message) const {
  return protocol::sign_message(head().position(), message, key_);
}

Actions Miner::take_actions() { return std::exchange(actions_, {}); }

const protocol::RosterEntry* Miner::own_entry() const {
  return follower_.open() ? find_in_roster(follower_.open()->message, key_.public_key()) : nullptr;
}

// ---- recovery

Status Miner::recover(ByteSpan message, Round stop_at) {
  MUSTER_TRY(const wire::Envelope envelope, wire::open_envelope(message));
  if (envelope.round >= stop_at && envelope.sender != key_.public_key()) return {};
  if (envelope.sender != key_.public_key()) {
    MUSTER_TRY_STATUS(follower_.take(message));
    if (follower_.manifest() && follower_.open()) {
      follower_.advance();
      progress_ = Progress{};
    }
    return {};
  }
  if (envelope.round != head().round()) return {};
  const Bytes bytes(message.begin(), message.end());
  if (is_a(envelope, MessageType::kCommit)) {
    MUSTER_TRY(const protocol::Commit commit, protocol::read_body<protocol::Commit>(envelope));
    progress_.commit = bytes;
    progress_.payload_id = commit.payload_id;
    progress_.trained = true;
  } else if (is_a(envelope, MessageType::kReveal)) {
    progress_.reveal = bytes;
  }
  return {};
}

Actions Miner::start(const Hash& theta_root, TimeMs now) {
  theta_root_ = theta_root;
  send_ready(now);
  return take_actions();
}

// ---- inputs

Actions Miner::on_message(ByteSpan message, TimeMs now) {
  if (follower_.take(message)) last_heard_ = now;
  if (follower_.fork() && !progress_.accused) {
    progress_.accused = true;
    actions_.push_back(Accuse{protocol::DisputeReason::kForkedClose,
                              {follower_.fork()->first, follower_.fork()->second}});
  }
  if (follower_.finished() && !finished_) {
    finished_ = true;
    actions_.push_back(Finish{});
  }
  advance(now);
  return take_actions();
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
  commit.sequences_used = report.sequences_used;
  commit.inner_steps = report.inner_steps;
  progress_.payload_id = commit.payload_id;
  progress_.commit = sign(commit);
  actions_.push_back(Upload{commit.payload_id, std::move(blob)});
  actions_.push_back(Persist{round, *progress_.commit});
  actions_.push_back(Send{*progress_.commit});
  advance(now);
  return take_actions();
}

Actions Miner::on_training_failed(Round round, const Error& error, TimeMs now) {
  if (round != head().round()) return {};
  progress_.training = false;
  progress_.trained = true;
  if (error.code != Errc::kCancelled)
    actions_.push_back(Note{"training failed: " + error.message});
  advance(now);
  return take_actions();
}

Actions Miner::on_blob(const Hash& id, ByteSpan blob, TimeMs now) {
  last_heard_ = now;
  const auto& manifest = follower_.manifest();
  if (!manifest || !follower_.open() || manifest->message.aggregate_id != id ||
      progress_.applying)
    return {};
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
  const auto* entry = own_entry();
  RoundDone done{head().round(), {}, entry != nullptr};
  for (const auto& outcome : follower_.manifest()->message.outcomes)
    if (entry != nullptr && outcome.uid == entry->uid) done.outcome = outcome;
  actions_.push_back(done);
  theta_root_ = theta_root;
  follower_.advance();
  progress_ = Progress{};
  send_ready(now);
  return take_actions();
}

Actions Miner::on_tick(TimeMs now) {
  if (!finished_ && now - last_heard_ >= static_cast<TimeMs>(config_.retry_ms)) {
    last_heard_ = now;
    resend(now);
  }
  return take_actions();
}

// ---- the round

void Miner::advance(TimeMs) {
  if (!follower_.open() || finished_) return;
  check_own_state();
  if (follower_.manifest()) return finish_round();
  if (own_entry() == nullptr) return;
  if (!progress_.training && !progress_.trained && !follower_.commits_closed()) begin_training();
  if (follower_.commits_closed() && progress_.commit) reveal_if_listed();
}

// Whoever is at another θ than the validators' majority must not go on as if nothing were wrong.
void Miner::check_own_state() {
  if (std::exchange(progress_.state_checked, true)) return;
  const auto attested = majority_attestation(head().position(), follower_.open()->message);
  if (!attested || attested->state_id != head().state_id() ||
      attested->theta_root == theta_root_ || progress_.accused)
    return;
  progress_.accused = true;
  const auto& proof = follower_.open()->message.attestations;
  actions_.push_back(Send{sign(protocol::Dispute{protocol::DisputeReason::kStateRoot,
                                                 attested->theta_root, theta_root_, proof})});
  actions_.push_back(Accuse{protocol::DisputeReason::kStateRoot, proof});
}

void Miner::begin_training() {
  progress_.training = true;
  Train train;
  train.task.round = head().round();
  train.task.inner_steps = conduct_->trains() ? params_.training.inner_steps : 0;
  train.task.sequences = conduct_->sequences(
      head().round(),
      assigned_sequences(head().position().run_id, follower_.open()->message, own_entry()->uid,
                         params_.slice(), params_.sequences));
  train.format = params_.uplink_format(head().round());
  actions_.push_back(std::move(train));
}

bool Miner::committed_in_close() const {
  if (!follower_.commits_closed() || !progress_.commit) return false;
  const auto& commits = follower_.commits_closed()->message.commits;
  return std::find(commits.begin(), commits.end(), *progress_.commit) != commits.end();
}

void Miner::reveal_if_listed() {
  if (!committed_in_close()) {
    const Hash hash = wire::message_hash(*progress_.commit);
    const bool censored = follower_.has_receipt(protocol::ReceiptFor::kCommit, hash) &&
                          follower_.has_receipt(protocol::ReceiptFor::kBlob, progress_.payload_id);
    if (censored && !progress_.accused) {
      progress_.accused = true;
      std::vector<Bytes> proof = follower_.receipts();
      proof.push_back(*progress_.commit);
      proof.push_back(follower_.commits_closed()->bytes);
      actions_.push_back(Accuse{protocol::DisputeReason::kCensored, std::move(proof)});
    }
    return;
  }
  if (progress_.reveal || !conduct_->reveals(head().round())) return;
  progress_.reveal = sign(protocol::Reveal{
      protocol::payload_key(key_, head().position().run_id, head().round())});
  actions_.push_back(Persist{head().round(), *progress_.reveal});
  actions_.push_back(Send{*progress_.reveal});
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
  if (!progress_.commit) return protocol::Settlement::kMissed;
  const auto* entry = own_entry();
  for (const auto& outcome : follower_.manifest()->message.outcomes) {
    if (entry == nullptr || outcome.uid != entry->uid) continue;
    const bool delivered = outcome.code == protocol::OutcomeCode::kAccepted ||
                           outcome.code == protocol::OutcomeCode::kRejected;
    const bool null_round = follower_.manifest()->message.null_round;
    return delivered && !null_round ? protocol::Settlement::kDelivered
                                    : protocol::Settlement::kKept;
  }
  return protocol::Settlement::kKept;
}

void Miner::apply(std::shared_ptr<const compression::SparseUpdate> aggregate) {
  progress_.applying = true;
  if (aggregate) conduct_->saw_aggregate(head().round(), *aggregate);
  actions_.push_back(Persist{head().round(), follower_.open()->bytes});
  actions_.push_back(Persist{head().round(), follower_.manifest()->bytes});
  actions_.push_back(Apply{head().round().next(), settlement(), std::move(aggregate)});
}

void Miner::send_ready(TimeMs now) {
  last_heard_ = now;
  actions_.push_back(Send{sign(
      protocol::Ready{Role::kMiner, head().state_id(), theta_root_, Hash{}, follower_.seen()})});
}

// Everything that may have been lost on the way, again and verbatim.
void Miner::resend(TimeMs now) {
  if (progress_.applying) return;
  send_ready(now);
  if (progress_.fetching) actions_.push_back(Fetch{follower_.manifest()->message.aggregate_id});
  if (!progress_.commit || follower_.manifest()) return;
  if (!follower_.commits_closed()) {
    if (!follower_.has_receipt(protocol::ReceiptFor::kCommit,
                               wire::message_hash(*progress_.commit)))
      actions_.push_back(Send{*progress_.commit});
    if (!follower_.has_receipt(protocol::ReceiptFor::kBlob, progress_.payload_id))
      actions_.push_back(UploadAgain{progress_.payload_id});
  } else if (progress_.reveal &&
             !follower_.has_receipt(protocol::ReceiptFor::kReveal,
                                    wire::message_hash(*progress_.reveal))) {
    actions_.push_back(Send{*progress_.reveal});
  }
}

}  // namespace muster::miner
