// A node's receipts prove what the coordinator had in time and left out.
#include "verify/receipt_audit.h"

#include "tests/verify/audit_fixture.h"

namespace muster::verify {
namespace {

using namespace muster::testing;
using protocol::MessageType;
using protocol::ReceiptFor;

constexpr std::uint64_t kRound = 5;

class ReceiptAuditTest : public ::testing::Test {
 protected:
  const sim::RecordedRun& run_ = honest_run();
  ReceiptAudit receipts_{protocol::run_id_of(run_.params), run_.params.coordinator};

  [[nodiscard]] const Bytes& message(MessageType type) const {
    return run_.messages[find_message(run_, type, kRound)];
  }
  [[nodiscard]] protocol::Position position() const {
    const auto open = wire::reread_envelope(message(MessageType::kRoundOpen)).value();
    return {open.run_id, open.round, open.parent};
  }
  void acknowledge(ReceiptFor what, const Hash& subject, const PublicKey& by) {
    receipts_.add(
        protocol::sign_message(position(), protocol::Receipt{what, subject}, run_.keys.at(by)));
  }
  void acknowledge(ReceiptFor what, const Hash& subject) {
    acknowledge(what, subject, run_.params.coordinator);
  }
  // A commit that no close lists, by the miner of the first that one does.
  [[nodiscard]] Bytes other_commit() const {
    const auto listed = wire::reread_envelope(message(MessageType::kCommit)).value();
    auto commit = protocol::read_body<protocol::Commit>(listed).value();
    commit.payload_id.bytes[0] ^= 1;
    return protocol::sign_message(position(), commit, run_.keys.at(listed.sender));
  }
  void acknowledge_commit(const Bytes& commit, bool with_payload) {
    receipts_.add(commit);
    acknowledge(ReceiptFor::kCommit, wire::message_hash(commit));
    if (with_payload) acknowledge(ReceiptFor::kBlob, body_of<protocol::Commit>(commit).payload_id);
  }
  [[nodiscard]] AuditReport audited() {
    Audit audit(run_.params, run_.initial_theta, [&](const Hash& id) -> Result<Bytes> {
      const auto blob = run_.blobs.find(id);
      if (blob == run_.blobs.end()) return Error{Errc::kNotFound, "no blob"};
      return blob->second;
    });
    audit.on_round([&](const AuditedRound& round, AuditReport& report) {
      return receipts_.take(round, report);
    });
    for (const Bytes& message : run_.messages)
      if (!audit.take(message).value()) break;
    return audit.finish();
  }
};

TEST_F(ReceiptAuditTest, WhatStandsInTheClosesAndTheRecordHolds) {
  acknowledge_commit(message(MessageType::kCommit), true);
  acknowledge(ReceiptFor::kReveal, wire::message_hash(message(MessageType::kReveal)));
  acknowledge(ReceiptFor::kScreen, wire::message_hash(message(MessageType::kScreen)));
  const AuditReport report = audited();
  EXPECT_TRUE(report.ok()) << text_of(report);
  EXPECT_EQ(report.count(Check::kReceipts).held, 4u);
}

TEST_F(ReceiptAuditTest, ACommitThatIsLeftOutThoughItsPayloadWasThereIsProven) {
  acknowledge_commit(other_commit(), true);
  const Finding finding = finding_of(audited(), Check::kReceipts);
  EXPECT_EQ(finding.round, Round{kRound});
  EXPECT_EQ(finding.signer->role, Role::kCoordinator);
  EXPECT_NE(finding.what.find("left out"), std::string::npos);
}

TEST_F(ReceiptAuditTest, ACommitWhosePayloadDidNotComeMayBeLeftOut) {
  acknowledge_commit(other_commit(), false);
  EXPECT_TRUE(audited().ok());
}

TEST_F(ReceiptAuditTest, AKeyAndAScreenThatAreLeftOutAreProven) {
  acknowledge(ReceiptFor::kReveal, wire::message_hash(message(MessageType::kCommit)));
  acknowledge(ReceiptFor::kScreen, wire::message_hash(message(MessageType::kCommit)));
  EXPECT_EQ(audited().count(Check::kReceipts).failed, 2u);
}

TEST_F(ReceiptAuditTest, AReceiptInARoundThatBuildsOnAnotherManifestProvesTwoHistories) {
  auto elsewhere = position();
  elsewhere.parent.bytes[0] ^= 1;
  receipts_.add(protocol::sign_message(elsewhere, protocol::Receipt{ReceiptFor::kBlob, Hash{}},
                                       run_.keys.at(run_.params.coordinator)));
  EXPECT_NE(finding_of(audited(), Check::kReceipts).what.find("two histories"), std::string::npos);
}

TEST_F(ReceiptAuditTest, WhatTheCoordinatorDidNotSignIsNoReceipt) {
  const auto miner = wire::reread_envelope(message(MessageType::kCommit)).value().sender;
  acknowledge(ReceiptFor::kReveal, Hash{}, miner);
  EXPECT_EQ(receipts_.receipts(), 0u);
}

}  // namespace
}  // namespace muster::verify
