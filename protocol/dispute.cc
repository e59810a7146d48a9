#include "protocol/dispute.h"

#include <algorithm>
#include <optional>
#include <set>

#include "base/limits.h"

namespace muster::protocol {
namespace {

using Envelopes = std::vector<wire::Envelope>;

Error proves_nothing(DisputeReason reason, const char* why) {
  return Error{Errc::kMalformed, "Dispute about a " + std::string(name_of(reason)) + ": " + why};
}

Result<Envelopes> open_proof(const Dispute& dispute, const Hash& run_id, Round round) {
  if (dispute.proof.size() > limits::kProofMessagesMax)
    return Error{Errc::kTooLarge, "Dispute: a proof of " + std::to_string(dispute.proof.size()) +
                                      " messages, at most " +
                                      std::to_string(limits::kProofMessagesMax)};
  Envelopes opened;
  for (const Bytes& message : dispute.proof) {
    MUSTER_TRY(wire::Envelope envelope, wire::open_envelope(message));
    if (envelope.run_id != run_id) return Error{Errc::kWrongRun, "Dispute: a proof of another run"};
    if (envelope.round != round)
      return Error{Errc::kWrongRound, "Dispute: a proof of another round"};
    opened.push_back(std::move(envelope));
  }
  return opened;
}

Status check_forked(const Dispute& dispute, const Envelopes& proof, const PublicKey& coordinator) {
  const bool all_signed = std::ranges::all_of(
      proof, [&](const auto& envelope) { return envelope.sender == coordinator; });
  if (proof.empty() || !all_signed)
    return proves_nothing(dispute.reason, "the coordinator signed none of it");
  if (proof.size() == 1) return {};  // a close that does not read, which the roster decides
  const bool two_versions =
      proof.size() == 2 && proof[0].type == proof[1].type && proof[0].parent == proof[1].parent &&
      wire::message_hash(dispute.proof[0]) != wire::message_hash(dispute.proof[1]);
  return two_versions ? Status()
                      : proves_nothing(dispute.reason, "not two versions of one message");
}

Status check_censored(const Dispute& dispute, const Envelopes& proof, const PublicKey& sender,
                      const PublicKey& coordinator) {
  std::set<std::pair<ReceiptFor, Hash>> receipts;
  std::optional<std::size_t> commit, close;
  for (std::size_t i = 0; i < proof.size(); ++i) {
    if (is_a(proof[i], MessageType::kReceipt) && proof[i].sender == coordinator) {
      MUSTER_TRY(const Receipt receipt, read_body<Receipt>(proof[i]));
      receipts.insert({receipt.what, receipt.subject});
    }
    if (is_a(proof[i], MessageType::kCommit) && proof[i].sender == sender) commit = i;
    if (is_a(proof[i], MessageType::kCommitsClosed) && proof[i].sender == coordinator) close = i;
  }
  if (!commit || !close) return proves_nothing(dispute.reason, "no commit, or no close");
  MUSTER_TRY(const Commit committed, read_body<Commit>(proof[*commit]));
  MUSTER_TRY(const CommitsClosed closed, read_body<CommitsClosed>(proof[*close]));
  if (!receipts.contains({ReceiptFor::kCommit, wire::message_hash(dispute.proof[*commit])}) ||
      !receipts.contains({ReceiptFor::kBlob, committed.payload_id}))
    return proves_nothing(dispute.reason, "no receipts for commit and blob");
  if (std::ranges::find(closed.commits, dispute.proof[*commit]) != closed.commits.end())
    return proves_nothing(dispute.reason, "the close has the commit");
  if (closed.excerpt)
    return proves_nothing(dispute.reason, "a miner's form of the close does not show all of it");
  return {};
}

Status check_kinds(const Dispute& dispute, const Envelopes& proof, bool good) {
  return good && !proof.empty()
             ? Status()
             : proves_nothing(dispute.reason, "other messages than such a proof has");
}

}  // namespace

Status check_dispute(const Dispute& dispute, const PublicKey& sender, const PublicKey& coordinator,
                     const Hash& run_id, Round round) {
  MUSTER_TRY(const Envelopes proof, open_proof(dispute, run_id, round));
  switch (dispute.reason) {
    case DisputeReason::kForkedClose:
      return check_forked(dispute, proof, coordinator);
    case DisputeReason::kCensored:
      return check_censored(dispute, proof, sender, coordinator);
    case DisputeReason::kAggregate:
      return check_kinds(dispute, proof, std::ranges::all_of(proof, [&](const auto& envelope) {
                           return envelope.sender == coordinator;
                         }));
    case DisputeReason::kStateRoot:
      return check_kinds(dispute, proof, std::ranges::all_of(proof, [](const auto& envelope) {
                           return is_a(envelope, MessageType::kAttest);
                         }));
    case DisputeReason::kRoster:
      return check_kinds(dispute, proof,
                         proof.size() == 1 && is_a(proof[0], MessageType::kRoundOpen) &&
                             proof[0].sender == coordinator);
    case DisputeReason::kTally:
      break;
  }
  return proves_nothing(dispute.reason, "a reason that no node gives");
}

}  // namespace muster::protocol
