#include "sim/checkers.h"

namespace muster::sim {

using protocol::MessageType;

void Checkers::violate(std::string what) {
  if (reported_.insert(what).second) violations_.push_back(std::move(what));
}

void Checkers::saw_message(const PublicKey& from, ByteSpan bytes) {
  const auto envelope = wire::reread_envelope(bytes);
  if (!envelope || envelope->sender != from) return;
  if (is_a(*envelope, MessageType::kCommit)) {
    if (const auto commit = protocol::read_body<protocol::Commit>(*envelope))
      commits_[wire::message_hash(bytes)] = {envelope->round, commit->payload_id, from};
  }
  if (envelope->sender != coordinator_) return;
  if (is_a(*envelope, MessageType::kReceipt)) {
    const auto receipt = protocol::read_body<protocol::Receipt>(*envelope);
    if (receipt && receipt->what == protocol::ReceiptFor::kCommit)
      acknowledged_commits_.insert(receipt->subject);
    if (receipt && receipt->what == protocol::ReceiptFor::kBlob)
      acknowledged_blobs_.insert(receipt->subject);
    return;
  }
  const bool exists_once =
      is_a(*envelope, MessageType::kRoundOpen) || is_a(*envelope, MessageType::kCommitsClosed) ||
      is_a(*envelope, MessageType::kRevealsClosed) || is_a(*envelope, MessageType::kManifest);
  if (!exists_once) return;
  const Hash hash = wire::message_hash(bytes);
  const auto [known, fresh] = once_.try_emplace({envelope->type, envelope->round}, hash);
  if (!fresh && known->second != hash) {
    violate("two different " + std::string(name_of(MessageType{envelope->type})) + "s of round " +
            std::to_string(envelope->round.value));
  }
  if (is_a(*envelope, MessageType::kCommitsClosed)) check_close(*envelope);
}

// No commit that was acknowledged together with its blob may be missing from the close.
void Checkers::check_close(const wire::Envelope& envelope) {
  const auto closed = protocol::read_body<protocol::CommitsClosed>(envelope);
  if (!closed) return violate("a close that does not decode");
  if (closed->excerpt) return;
  std::set<Hash> listed;
  for (const Bytes& commit : closed->commits) listed.insert(wire::message_hash(commit));
  for (const Hash& hash : acknowledged_commits_) {
    const auto commit = commits_.find(hash);
    if (commit == commits_.end() || commit->second.round != envelope.round ||
        !honest_.contains(commit->second.sender))
      continue;
    if (acknowledged_blobs_.contains(commit->second.payload_id) && !listed.contains(hash))
      violate("an acknowledged commit of round " + std::to_string(envelope.round.value) +
              " is lost");
  }
}

void Checkers::saw_record(Round number, const protocol::SealRecord& record) {
  const std::string round = std::to_string(number.value);
  for (const auto& outcome : record.outcomes) {
    if (outcome.weight > 0 && outcome.code != protocol::OutcomeCode::kAccepted)
      violate("round " + round + ": a payload that is not accepted has weight in the aggregate");
  }
  for (const auto& evidence : record.evidence) {
    const auto first = wire::reread_envelope(evidence.first);
    if (first && honest_.contains(first->sender))
      violate("round " + round + ": an honest node stands in evidence");
  }
}

void Checkers::saw_state(const std::string& node, Round round, const Hash& state_id,
                         const Hash& theta_root) {
  const std::pair state{state_id, theta_root};
  if (damaged_.contains(node)) {
    const auto known = states_.find(round);
    if (known != states_.end() && known->second == state) damaged_.erase(node);
    return;
  }
  const auto [known, fresh] = states_.try_emplace(round, state);
  if (!fresh && known->second != state)
    violate(node + " is at another state before round " + std::to_string(round.value));
}

void Checkers::saw_accusation(const std::string& node, const std::string& what) {
  violate(node + " accuses the coordinator: " + what);
}

void Checkers::check_reached(const std::string& node, Round reached, Round expected) {
  if (damaged_.contains(node)) violate(node + " did not repair its damaged state");
  if (reached < expected)
    violate(node + " is stuck before round " + std::to_string(reached.value) + " of " +
            std::to_string(expected.value));
}

}  // namespace muster::sim
