// Honest runs pass; whatever is changed in one is found, with the round and who signed it.
#include "verify/audit.h"

#include "compression/segmented_blob.h"
#include "protocol/beacon.h"
#include "tests/verify/audit_fixture.h"

namespace muster::verify {
namespace {

using namespace muster::testing;
using protocol::MessageType;
using protocol::OutcomeCode;

// ---- honest

class HonestRun : public ::testing::TestWithParam<std::uint64_t> {};

TEST_P(HonestRun, PassesWhateverHappenedInIt) {
  sim::WorldConfig config = sim::random_world(GetParam());
  config.rounds = 8;
  config.bit_flips_per_round = 0;
  const auto audited = audit(sim::record_world(config));
  EXPECT_TRUE(audited.report.ok()) << text_of(audited.report);
  EXPECT_EQ(audited.report.rounds, 8u);
}
INSTANTIATE_TEST_SUITE_P(Seeds, HonestRun, ::testing::Range<std::uint64_t>(1, 9));

TEST(Audit, OfACalmRunChecksEveryKind) {
  const auto audited = audit(honest_run());
  EXPECT_TRUE(audited.report.ok()) << text_of(audited.report);
  for (std::size_t i = 0; i < kCheckCount; ++i) {
    const auto check = static_cast<Check>(i);
    if (check == Check::kFile || check == Check::kRescored || check == Check::kReviews ||
        check == Check::kReceipts)
      continue;
    EXPECT_GT(audited.report.count(check).held, 0u) << name_of(check);
  }
}

TEST(Audit, WithoutPayloadsReachesTheSameState) {
  sim::RecordedRun run = honest_run();
  for (const Bytes& message : run.messages)
    if (type_of(message) == MessageType::kCommit)
      run.blobs.erase(body_of<protocol::Commit>(message).payload_id);
  const auto audited = audit(run, {.threads = 1, .payloads_left_out = true});
  EXPECT_TRUE(audited.report.ok()) << text_of(audited.report);
  EXPECT_EQ(audited.report.theta_root, audit(honest_run()).report.theta_root);
  EXPECT_EQ(audited.report.count(Check::kPayloads).held, 0u);
  EXPECT_GT(audited.report.count(Check::kClipping).held, 0u)
      << "norms and weights follow without them";
}

// ---- one thing changed

// The coordinator's key, or a node's.
bool signed_by(const Finding& finding, const sim::RecordedRun& run, Role role) {
  return finding.signer && finding.signer->role == role &&
         run.keys.contains(finding.signer->hotkey) &&
         (role != Role::kCoordinator || finding.signer->hotkey == run.params.coordinator);
}

TEST(Tampering, AByteOfASignatureOfTheCoordinator) {
  sim::RecordedRun run = honest_run();
  Bytes& message = run.messages[find_message(run, MessageType::kRevealsClosed, 3)];
  message[message.size() - 1 - sizeof(std::uint32_t)] ^= 1;  // before the attachment's length
  const auto report = audit(run).report;
  const Finding finding = finding_of(report, Check::kSignatures);
  EXPECT_EQ(finding.round, Round{3});
  EXPECT_TRUE(signed_by(finding, run, Role::kCoordinator));
  EXPECT_TRUE(report.broken);
}

TEST(Tampering, AByteOfASignatureOfAValidatorDoesNotHideTheRest) {
  sim::RecordedRun run = honest_run();
  Bytes& message = run.messages[find_message(run, MessageType::kAttest, 3)];
  message[message.size() - 1 - sizeof(std::uint32_t)] ^= 1;  // before the attachment's length
  const auto report = audit(run).report;
  const Finding finding = finding_of(report, Check::kSignatures);
  EXPECT_EQ(finding.round, Round{3});
  EXPECT_TRUE(signed_by(finding, run, Role::kValidator));
  EXPECT_EQ(report.findings.size(), 1u) << text_of(report);
  EXPECT_EQ(report.rounds, 8u);
}

TEST(Tampering, ADroppedMessage) {
  for (const auto type : {MessageType::kRoundOpen, MessageType::kCommitsClosed,
                          MessageType::kRevealsClosed, MessageType::kManifest}) {
    sim::RecordedRun run = honest_run();
    run.messages.erase(run.messages.begin() +
                       static_cast<std::ptrdiff_t>(find_message(run, type, 4)));
    const auto report = audit(run).report;
    const Finding finding = finding_of(report, Check::kManifestChain);
    EXPECT_EQ(finding.round, Round{4}) << name_of(type);
    EXPECT_TRUE(finding.signer.has_value());
  }
}

TEST(Tampering, TwoSwappedMessages) {
  sim::RecordedRun run = honest_run();
  std::swap(run.messages[find_message(run, MessageType::kCommitsClosed, 2)],
            run.messages[find_message(run, MessageType::kRevealsClosed, 2)]);
  const Finding finding = finding_of(audit(run).report, Check::kManifestChain);
  EXPECT_EQ(finding.round, Round{2});
  EXPECT_TRUE(signed_by(finding, run, Role::kCoordinator));
}

// The payload that the last miner of round 5 committed.
Hash a_payload(const sim::RecordedRun& run) {
  const auto closed = body_of<protocol::CommitsClosed>(
      run.messages[find_message(run, MessageType::kCommitsClosed, 5)]);
  return body_of<protocol::Commit>(closed.commits.back()).payload_id;
}

TEST(Tampering, AByteOfAPayload) {
  sim::RecordedRun run = honest_run();
  Bytes& blob = run.blobs.at(a_payload(run));
  blob[blob.size() / 2] ^= 1;
  const auto report = audit(run).report;
  const Finding finding = finding_of(report, Check::kPayloads);
  EXPECT_EQ(finding.round, Round{5});
  EXPECT_TRUE(signed_by(finding, run, Role::kMiner));
  EXPECT_EQ(finding.signer->uid, Uid{6});
  EXPECT_EQ(report.findings.size(), 1u) << "the aggregate takes over:\n" << text_of(report);
  EXPECT_EQ(report.theta_root, audit(honest_run()).report.theta_root);
}

TEST(Tampering, AMissingPayload) {
  sim::RecordedRun run = honest_run();
  run.blobs.erase(a_payload(run));
  const auto report = audit(run).report;
  const Finding finding = finding_of(report, Check::kPayloads);
  EXPECT_EQ(finding.round, Round{5});
  EXPECT_EQ(finding.signer->uid, Uid{6});
  EXPECT_GT(report.count(Check::kAggregates).skipped, 0u);
  EXPECT_EQ(report.rounds, 8u);
}

TEST(Tampering, AReplacedAggregate) {
  for (const bool with_payloads : {true, false}) {
    sim::RecordedRun run = honest_run();
    const auto id_in = [&](std::uint64_t round) {
      return body_of<protocol::Manifest>(
                 run.messages[find_message(run, MessageType::kManifest, round)])
          .aggregate_id;
    };
    run.blobs[id_in(4)] = run.blobs.at(id_in(3));
    if (!with_payloads) {
      for (const Bytes& message : run.messages)
        if (type_of(message) == MessageType::kCommit)
          run.blobs.erase(body_of<protocol::Commit>(message).payload_id);
    }
    const Finding finding = finding_of(
        audit(run, {.threads = 1, .payloads_left_out = !with_payloads}).report, Check::kAggregates);
    EXPECT_EQ(finding.round, Round{4});
    EXPECT_TRUE(signed_by(finding, run, Role::kCoordinator));
  }
}

template <class Change>
AuditReport audit_with(std::uint64_t round, Change change) {
  sim::RecordedRun run = honest_run();
  const std::size_t index = find_message(run, MessageType::kManifest, round);
  if constexpr (std::is_invocable_v<Change, protocol::Manifest&>) {
    sign_again<protocol::Manifest>(run, index, change);
  } else {
    testing::change_record(run, index, change);
  }
  const auto report = audit(run).report;
  EXPECT_FALSE(report.findings.empty());
  if (!report.findings.empty()) {
    EXPECT_EQ(report.findings.front().round, Round{round});
    EXPECT_TRUE(signed_by(report.findings.front(), run, Role::kCoordinator)) << text_of(report);
  }
  return report;
}

TEST(Tampering, AWeightInAManifestSignedAgain) {
  const auto report = audit_with(7, [](protocol::SealRecord& record) {
    for (auto& outcome : record.outcomes)
      if (outcome.code == OutcomeCode::kAccepted) outcome.weight *= 2;
  });
  const Finding finding = finding_of(report, Check::kClipping);
  EXPECT_NE(finding.what.find("weight of uid"), std::string::npos);
  EXPECT_FALSE(finding.expected.empty());
  EXPECT_EQ(report.count(Check::kTally).failed, 1u)
      << "but for the record that has it, nothing else is wrong";
}

TEST(Tampering, AClipNormInAManifestSignedAgain) {
  const auto report =
      audit_with(7, [](protocol::Manifest& manifest) { manifest.clip_norm *= 1.5; });
  EXPECT_NE(finding_of(report, Check::kClipping).what.find("clip norm"), std::string::npos);
}

TEST(Tampering, AForgedOutcome) {
  const auto report = audit_with(7, [](protocol::SealRecord& record) {
    for (auto& outcome : record.outcomes)
      if (outcome.code == OutcomeCode::kAccepted) {
        outcome.code = OutcomeCode::kRejected;
        outcome.weight = 0;
        break;
      }
  });
  const Finding finding = finding_of(report, Check::kTally);
  EXPECT_EQ(finding.expected, "accepted");
  EXPECT_EQ(finding.found, "rejected");
}

TEST(Tampering, AMissClaimedOfWhoDeliveredIsFoundWithoutPayloads) {
  sim::RecordedRun run = honest_run();
  testing::change_record(run, find_message(run, MessageType::kManifest, 7),
                         [](protocol::SealRecord& record) {
                           for (auto& outcome : record.outcomes)
                             if (outcome.code == OutcomeCode::kAccepted)
                               outcome = {outcome.uid, OutcomeCode::kMissed, {}, 0, 0, 0, 0};
                         });
  run.blobs.erase(a_payload(run));
  const Finding finding = finding_of(audit(run).report, Check::kTally);
  EXPECT_EQ(finding.round, Round{7});
  EXPECT_EQ(finding.found, "missed");
}

TEST(Tampering, ANextBeaconThatTheCoordinatorChose) {
  const auto report =
      audit_with(7, [](protocol::Manifest& manifest) { manifest.next_beacon.bytes[0] ^= 1; });
  EXPECT_NE(finding_of(report, Check::kRosters).what.find("beacon"), std::string::npos);
}

TEST(Tampering, ABeaconOfARoundThatTheCoordinatorChose) {
  sim::RecordedRun run = honest_run();
  sign_again<protocol::RoundOpen>(run, find_message(run, MessageType::kRoundOpen, 6),
                                  [](protocol::RoundOpen& open) { open.beacon.bytes[5] ^= 1; });
  const Finding finding = finding_of(audit(run).report, Check::kRosters);
  EXPECT_EQ(finding.round, Round{6});
  EXPECT_NE(finding.what.find("beacon"), std::string::npos);
  EXPECT_TRUE(signed_by(finding, run, Role::kCoordinator));
}

TEST(Tampering, AForkedClose) {
  sim::RecordedRun run = honest_run();
  const std::size_t index = find_message(run, MessageType::kCommitsClosed, 3);
  const Bytes first = run.messages[index];
  sign_again<protocol::CommitsClosed>(run, index, [](protocol::CommitsClosed& closed) {
    closed.commits.pop_back();
    closed.commit_root = protocol::commit_root_of(closed.commits);
  });
  run.messages.insert(run.messages.begin() + static_cast<std::ptrdiff_t>(index), first);
  const auto report = audit(run).report;
  const Finding finding = finding_of(report, Check::kManifestChain);
  EXPECT_EQ(finding.round, Round{3});
  EXPECT_NE(finding.what.find("two different CommitsClosed"), std::string::npos);
  EXPECT_TRUE(signed_by(finding, run, Role::kCoordinator));
  EXPECT_EQ(report.rounds, 8u) << "the run goes on with the first";
}

TEST(Tampering, AForkedManifest) {
  sim::RecordedRun run = honest_run();
  const std::size_t index = find_message(run, MessageType::kManifest, 3);
  const Bytes first = run.messages[index];
  sign_again<protocol::Manifest>(run, index,
                                 [](protocol::Manifest& manifest) { manifest.median_norm += 1; });
  run.messages.insert(run.messages.begin() + static_cast<std::ptrdiff_t>(index), first);
  EXPECT_NE(finding_of(audit(run).report, Check::kManifestChain)
                .what.find("two different Manifests of round 3"),
            std::string::npos);
}

TEST(Tampering, AScreenThatArrivedAndWasLeftOut) {
  sim::RecordedRun run = honest_run();
  Bytes screen = run.messages[find_message(run, MessageType::kScreen, 7)];
  auto envelope = wire::reread_envelope(screen).value();
  auto message = protocol::read_body<protocol::Screen>(envelope).value();
  message.assessment.bytes[0] ^= 1;
  protocol::set_body(envelope, message);
  const SigningKey& key = run.keys.at(envelope.sender);
  // The validator signed two, and the manifest has no evidence of that.
  run.messages.insert(run.messages.begin() +
                          static_cast<std::ptrdiff_t>(find_message(run, MessageType::kManifest, 7)),
                      wire::seal_envelope(std::move(envelope), key));
  const Finding finding = finding_of(audit(run).report, Check::kTally);
  EXPECT_NE(finding.what.find("no evidence"), std::string::npos);
}

TEST(Tampering, OtherParameters) {
  sim::RecordedRun run = honest_run();
  run.params.verification.replay_cosine = 0.9f;
  const auto report = audit(run).report;
  const Finding finding = finding_of(report, Check::kManifestChain);
  EXPECT_NE(finding.what.find("belongs to run"), std::string::npos);
  EXPECT_TRUE(signed_by(finding, run, Role::kCoordinator));
  EXPECT_TRUE(report.broken);
}

TEST(Tampering, AnotherInitialModel) {
  sim::RecordedRun run = honest_run();
  run.initial_theta[7] += 1;
  EXPECT_NE(finding_of(audit(run).report, Check::kStateRoots).what.find("initial model"),
            std::string::npos);
}

TEST(Tampering, AnAttestationOfAnotherRootAndAWrongManifestLaterAreBothFound) {
  sim::RecordedRun run = honest_run();
  sign_again<protocol::Attest>(run, find_message(run, MessageType::kAttest, 3),
                               [](protocol::Attest& attest) { attest.theta_root.bytes[0] ^= 1; });
  sign_again<protocol::Manifest>(run, find_message(run, MessageType::kManifest, 7),
                                 [](protocol::Manifest& manifest) { manifest.clip_norm *= 2; });
  const auto report = audit(run).report;
  const Finding remark = testing::remark_of(report, Check::kStateRoots);
  EXPECT_EQ(remark.round, Round{3});
  EXPECT_TRUE(signed_by(remark, run, Role::kValidator));
  EXPECT_EQ(report.count(Check::kStateRoots).failed, 0u)
      << "one of three validators changed no state";
  EXPECT_EQ(finding_of(report, Check::kClipping).round, Round{7});
}

// A third of the stake each: what one of them says of a state decides nothing, what two say does
// not either, one by one.
TEST(Tampering, AWrongAttestationAloneChangesNoOutcome) {
  sim::RecordedRun run = honest_run();
  sign_again<protocol::Attest>(run, find_message(run, MessageType::kAttest, 3),
                               [](protocol::Attest& attest) { attest.theta_root.bytes[0] ^= 1; });
  const auto report = audit(run).report;
  EXPECT_TRUE(report.ok()) << text_of(report);
  EXPECT_EQ(report.remarks.size(), 1u);
}

TEST(Remarks, AreOfWhoHasNoSay) {
  const Signer coordinator{{}, Role::kCoordinator, {}}, staked{{}, Role::kValidator, Uid{1}, 5},
      without{{}, Role::kValidator, Uid{2}, 0}, stranger{{}};
  const auto of = [](Check check, const Signer& signer) {
    return is_remark({check, Round{1}, signer, "wrong"});
  };
  EXPECT_FALSE(of(Check::kTally, coordinator));
  EXPECT_FALSE(of(Check::kStandings, staked));
  EXPECT_TRUE(of(Check::kStandings, without));
  EXPECT_TRUE(of(Check::kRosters, stranger));
  EXPECT_FALSE(of(Check::kSignatures, without))
      << "a file whose signatures are wrong is another's file";
  EXPECT_FALSE(is_remark({Check::kFile, Round{1}, {}, "cut off"}));
}

TEST(Tampering, AWrongAttestationThatOnlyARoundOpenHas) {
  sim::RecordedRun run = honest_run();
  const std::size_t own = find_message(run, MessageType::kAttest, 7);
  sign_again<protocol::Attest>(run, own, [](protocol::Attest& attest) { attest.head_hash = {}; });
  const Bytes wrong = run.messages[own];
  run.messages.erase(run.messages.begin() + static_cast<std::ptrdiff_t>(own));
  sign_again<protocol::RoundOpen>(
      run, find_message(run, MessageType::kRoundOpen, 7),
      [&](protocol::RoundOpen& open) { open.attestations.push_back(wrong); });
  const Finding remark = testing::remark_of(audit(run).report, Check::kStateRoots);
  EXPECT_EQ(remark.round, Round{7});
  EXPECT_TRUE(signed_by(remark, run, Role::kValidator));
}

TEST(Tampering, EveryByteOfAMessageIsCovered) {
  const sim::RecordedRun honest = honest_run();
  Prng random(5);
  for (int i = 0; i < 40; ++i) {
    sim::RecordedRun run = honest;
    Bytes& message = run.messages[random.below(run.messages.size())];
    message[random.below(message.size())] ^= static_cast<std::uint8_t>(1u << random.below(8));
    EXPECT_FALSE(audit(run).report.ok());
  }
}

}  // namespace
}  // namespace muster::verify
