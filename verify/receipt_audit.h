// ReceiptAudit: what the coordinator has acknowledged to a node, against what it put into its
// closes and manifests.
//
// A receipt is the coordinator's signature under the hash of a message, or the id of a payload,
// that it had in time. So whoever keeps its receipts can prove censorship to anyone: a commit whose
// payload was there stands in the close, a key in the close of keys, a Screen in the record. And a
// receipt of a round that builds on another manifest proves that the coordinator keeps two
// histories. Thread safety: none; one owner.
#pragma once

#include <map>
#include <vector>

#include "verify/audit_report.h"
#include "verify/audited_round.h"

namespace muster::verify {

class ReceiptAudit {
 public:
  ReceiptAudit(const Hash& run_id, const PublicKey& coordinator)
      : run_id_(run_id), coordinator_(coordinator) {}

  // A message of a node's journal: receipts, and the node's own commits, which name their payloads.
  // Others, and what is not signed, are left out.
  void add(ByteSpan message);
  [[nodiscard]] std::uint64_t receipts() const { return count_; }

  // A sealed round, in order: an observer of Audit.
  [[nodiscard]] Status take(const AuditedRound& round, AuditReport& report);

 private:
  struct Kept {
    Hash parent;
    protocol::ReceiptFor what = protocol::ReceiptFor::kCommit;
    Hash subject;
  };
  [[nodiscard]] bool is_listed(const AuditedRound& round, const Kept& receipt,
                               const std::vector<Kept>& receipts) const;

  Hash run_id_;
  PublicKey coordinator_;
  std::map<Round, std::vector<Kept>> receipts_;
  std::map<Hash, Hash> payloads_;  // by the hash of the commit
  std::uint64_t count_ = 0;
};

}  // namespace muster::verify
