#include "verify/receipt_audit.h"

#include <algorithm>

namespace muster::verify {

using protocol::MessageType;
using protocol::ReceiptFor;

namespace {

std::string_view subject_of(ReceiptFor what) {
  switch (what) {
    case ReceiptFor::kCommit:
      return "a Commit, and for its payload, that CommitsClosed does not list";
    case ReceiptFor::kBlob:
      return "a payload";
    case ReceiptFor::kReveal:
      return "a Reveal that RevealsClosed does not list";
    case ReceiptFor::kScreen:
      return "a Screen that the record does not hold";
  }
  MUSTER_UNREACHABLE();
}

template <class Message>
bool holds(const std::map<Uid, protocol::Signed<Message>>& listed, const Hash& subject) {
  return std::ranges::any_of(
      listed, [&](const auto& item) { return wire::message_hash(item.second.bytes) == subject; });
}

}  // namespace

void ReceiptAudit::add(ByteSpan message) {
  const auto envelope = wire::open_envelope(message);
  if (!envelope || envelope->run_id != run_id_) return;
  if (is_a(*envelope, MessageType::kCommit)) {
    if (const auto commit = protocol::read_body<protocol::Commit>(*envelope))
      payloads_[wire::message_hash(message)] = commit->payload_id;
  }
  if (!is_a(*envelope, MessageType::kReceipt) || envelope->sender != coordinator_) return;
  const auto receipt = protocol::read_body<protocol::Receipt>(*envelope);
  if (!receipt) return;
  receipts_[envelope->round].push_back({envelope->parent, receipt->what, receipt->subject});
  ++count_;
}

bool ReceiptAudit::is_listed(const AuditedRound& round, const Kept& receipt,
                             const std::vector<Kept>& receipts) const {
  switch (receipt.what) {
    case ReceiptFor::kBlob:
      return true;  // counts beside its commit's
    case ReceiptFor::kReveal:
      return holds(round.reveals, receipt.subject);
    case ReceiptFor::kScreen:
      return std::ranges::any_of(round.record.screens, [&](const Bytes& screen) {
        return wire::message_hash(screen) == receipt.subject;
      });
    case ReceiptFor::kCommit:
      break;
  }
  const auto payload = payloads_.find(receipt.subject);
  const bool payload_was_there =
      payload != payloads_.end() && std::ranges::any_of(receipts, [&](const Kept& other) {
        return other.what == ReceiptFor::kBlob && other.subject == payload->second;
      });
  return !payload_was_there || holds(round.commits, receipt.subject);
}

Status ReceiptAudit::take(const AuditedRound& round, AuditReport& report) {
  const auto receipts = receipts_.find(round.position.round);
  if (receipts == receipts_.end()) return {};
  for (const Kept& receipt : receipts->second) {
    const auto fail = [&](std::string what) {
      report.fail({Check::kReceipts, round.position.round, Signer{coordinator_, Role::kCoordinator},
                   std::move(what)});
    };
    if (receipt.parent != round.position.parent) {
      fail(
          "a receipt in a round that builds on another manifest: the coordinator keeps two "
          "histories");
    } else if (!is_listed(round, receipt, receipts->second)) {
      fail("a receipt for " + std::string(subject_of(receipt.what)) +
           ": the coordinator left out what it had in time");
    } else {
      report.hold(Check::kReceipts);
    }
  }
  return {};
}

}  // namespace muster::verify
