#include "protocol/follower.h"

namespace muster::protocol {

Follower::Follower(const ProtocolParams& params, const Hash& run_id, Role role)
    : params_(params), role_(role), head_(params, run_id) {}

template <class Message>
Status Follower::keep(std::optional<Signed<Message>>& slot, const wire::Envelope& envelope,
                      ByteSpan bytes) {
  MUSTER_TRY(Message message, read_body<Message>(envelope));
  if constexpr (requires { message.excerpt; }) {
    if (message.excerpt && role_ != Role::kMiner) return not_whole(name_of(Message::kType));
  }
  Bytes copy(bytes.begin(), bytes.end());
  if (!slot) {
    if (Message::kType != MessageType::kManifest) news_.push_back(copy);
    slot = Signed<Message>{std::move(message), std::move(copy), envelope.sender};
  } else if (wire::message_hash(slot->bytes) != wire::message_hash(copy)) {
    fork_ = Evidence{slot->bytes, std::move(copy)};
    return Error{Errc::kConflict, "the coordinator signed two different " +
                                      std::string(name_of(Message::kType)) + "s of one round"};
  }
  return {};
}

Status Follower::take(ByteSpan bytes) {
  MUSTER_TRY(const wire::Envelope envelope, wire::open_envelope(bytes));
  if (envelope.sender != params_.coordinator)
    return Error{Errc::kPermission, "a message that the coordinator did not sign"};
  if (is_a(envelope, MessageType::kCheckpoint)) return keep_offer(envelope);
  if (is_a(envelope, MessageType::kRefused) && envelope.run_id == head_.position().run_id) {
    MUSTER_TRY(Refused refused, read_body<Refused>(envelope));
    refusal_ = std::move(refused.reason);
    return {};
  }
  if (envelope.run_id == head_.position().run_id && envelope.round > head_.round())
    is_behind_ = true;
  MUSTER_TRY_STATUS(check_position(envelope, head_.position()));
  switch (MessageType{envelope.type}) {
    case MessageType::kRoundOpen: {
      MUSTER_TRY(const RoundOpen open, read_body<RoundOpen>(envelope));
      MUSTER_TRY_STATUS(head_.check_open(open));
      MUSTER_TRY_STATUS(keep(open_, envelope, bytes));
      return check_fit();
    }
    case MessageType::kCommitsClosed:
      return keep(commits_closed_, envelope, bytes);
    case MessageType::kRevealsClosed:
      return keep(reveals_closed_, envelope, bytes);
    case MessageType::kManifest:
      MUSTER_TRY_STATUS(keep(manifest_, envelope, bytes));
      return check_fit();
    case MessageType::kReceipt: {
      MUSTER_TRY(const Receipt receipt, read_body<Receipt>(envelope));
      if (receipts_.size() < 16 && receipts_.insert({receipt.what, receipt.subject}).second) {
        receipt_bytes_.emplace_back(bytes.begin(), bytes.end());
        news_.push_back(receipt_bytes_.back());
      }
      return {};
    }
    case MessageType::kFinished: {
      MUSTER_TRY(finished_, read_body<Finished>(envelope));
      return {};
    }
    case MessageType::kRoundResume: {
      MUSTER_TRY(const RoundResume resume, read_body<RoundResume>(envelope));
      resume_ = resume.phase;
      return {};
    }
    default:
      return Error{Errc::kMalformed, "a message that the coordinator does not send"};
  }
}

// A manifest of other miners than the roster's is not taken: nothing could be done with it.
Status Follower::check_fit() {
  if (!open_ || !manifest_) return {};
  Status fits = fits_roster(manifest_->message, open_->message);
  if (!fits) manifest_.reset();
  return fits;
}

Status Follower::keep_offer(const wire::Envelope& envelope) {
  MUSTER_TRY(Checkpoint checkpoint, read_body<Checkpoint>(envelope));
  if (envelope.run_id != head_.position().run_id)
    return Error{Errc::kWrongRun, "Checkpoint of another run"};
  if (envelope.round <= head_.round())
    return Error{Errc::kWrongRound, "Checkpoint of a round that is behind this node"};
  offer_ = {std::move(checkpoint), {envelope.run_id, envelope.round, envelope.parent}};
  return {};
}

Phase Follower::seen() const {
  if (manifest_) return Phase::kSealed;
  if (reveals_closed_) return Phase::kScreen;
  if (commits_closed_) return Phase::kReveal;
  if (open_) return Phase::kTrain;
  return Phase::kGather;
}

std::vector<Bytes> Follower::signed_after(Phase phase) const {
  std::vector<Bytes> messages;
  const auto add = [&](const auto& slot, Phase shown) {
    if (slot && phase < shown) messages.push_back(slot->bytes);
  };
  add(open_, Phase::kTrain);
  add(commits_closed_, Phase::kReveal);
  add(reveals_closed_, Phase::kScreen);
  add(manifest_, Phase::kSealed);
  return messages;
}

void Follower::file_what_was_set_aside() {
  news_.clear();
  // Of other rounds or positions: what was taken back for good with a start from the initial model,
  // say.
  for (const Bytes& record : std::exchange(set_aside_, {})) (void)take(record);
}

void Follower::advance() {
  MUSTER_CHECK(open_ && manifest_, "advance without a sealed round");
  head_.advance(wire::message_hash(manifest_->bytes), open_->message, manifest_->message);
  clear_round();
}

void Follower::adopt(ChainHead head) {
  head_ = std::move(head);
  offer_.reset();
  finished_.reset();
  clear_round();
}

void Follower::clear_round() {
  open_.reset();
  commits_closed_.reset();
  reveals_closed_.reset();
  manifest_.reset();
  receipts_.clear();
  receipt_bytes_.clear();
  news_.clear();
  resume_.reset();
  is_behind_ = false;
}

}  // namespace muster::protocol
