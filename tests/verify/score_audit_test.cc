// Scores that do not follow from what was signed before are found with the validator who signed
// them.
#include "verify/score_audit.h"

#include "protocol/beacon.h"
#include "tests/verify/audit_fixture.h"

namespace muster::verify {
namespace {

using namespace muster::testing;
using protocol::Basis;

// What a Screen both seals and opens, where nothing stays sealed.
protocol::Assessment& own(protocol::Screen& screen) { return screen.opened.back(); }

void expect_by_validator(const Finding& finding, std::uint64_t round) {
  EXPECT_EQ(finding.round, Round{round}) << describe(finding);
  ASSERT_TRUE(finding.signer.has_value());
  EXPECT_EQ(finding.signer->role, Role::kValidator);
  EXPECT_TRUE(finding.signer->uid.has_value());
}

TEST(ScoreAudit, OfAnHonestRunFindsEveryStandingAndWeight) {
  const auto audited = audit(honest_run());
  ASSERT_TRUE(audited.report.ok()) << text_of(audited.report);
  EXPECT_EQ(audited.scores.validators().size(), 3u);
  bool somebody_is_paid = false;
  for (const auto& [hotkey, validator] : audited.scores.validators())
    for (const auto& [miner, weight] : validator.book().weights()) somebody_is_paid |= weight > 0;
  EXPECT_TRUE(somebody_is_paid);
}

TEST(ScoreAudit, NamesAStandingThatDoesNotFollow) {
  const auto audited =
      audit(run_with_screen(6, [](protocol::Screen& screen) { screen.entries[2].standing ^= 1; }));
  const Finding finding = finding_of(audited.report, Check::kStandings);
  expect_by_validator(finding, 6);
  EXPECT_FALSE(finding.expected.empty());
  EXPECT_EQ(audited.report.rounds, 8u) << "and the audit goes on";
}

TEST(ScoreAudit, NamesAWeightThatDoesNotFollow) {
  const auto audited = audit(
      run_with_screen(7, [](protocol::Screen& screen) { own(screen).weights[0].weight ^= 4; }));
  expect_by_validator(finding_of(audited.report, Check::kWeights), 7);
}

// uid 3 keeps its key in every second round.
TEST(ScoreAudit, NamesAScoreForAPayloadThatMissed) {
  const auto run = run_with_screen(4, [](protocol::Screen& screen) {
    for (auto& evaluation : own(screen).evaluations)
      if (evaluation.basis == Basis::kFault || evaluation.basis == Basis::kAbsent)
        evaluation = {
            evaluation.uid, evaluation.round, Basis::kMeasured, {500, {}, {500}}, 1000, 10, true};
  });
  const Finding finding = finding_of(audit(run).report, Check::kEvaluations);
  expect_by_validator(finding, 4);
  EXPECT_EQ(finding.expected, name_of(Basis::kFault));
  EXPECT_NE(finding.found.find("measured"), std::string::npos);
}

TEST(ScoreAudit, NamesAPenaltyThatWasLeftOut) {
  const auto run = run_with_screen(4, [](protocol::Screen& screen) {
    std::erase_if(own(screen).evaluations,
                  [](const auto& evaluation) { return evaluation.basis == Basis::kFault; });
  });
  const Finding finding = finding_of(audit(run).report, Check::kEvaluations);
  expect_by_validator(finding, 4);
  EXPECT_EQ(finding.found, "none");
}

// It measured everybody, and says that it did not measure whoever was drawn first.
TEST(ScoreAudit, NamesAValidatorThatLeavesOutWhomItDrew) {
  sim::RecordedRun run = honest_run();
  const auto audited = audit(run);
  ASSERT_TRUE(audited.report.ok()) << text_of(audited.report);
  EXPECT_GT(audited.report.count(Check::kDraws).held, 0u);
  int found = 0, measured = 0;
  for (std::size_t left_out = 0; left_out < 4; ++left_out) {
    const auto changed = run_with_screen(6, [&](protocol::Screen& screen) {
      std::size_t seen = 0;
      for (auto& evaluation : own(screen).evaluations) {
        if (evaluation.basis != Basis::kMeasured) continue;
        ++measured;
        if (seen++ == left_out) evaluation = {evaluation.uid, evaluation.round, Basis::kUnmeasured};
      }
    });
    for (const Finding& finding : audit(changed).report.findings)
      found += finding.check == Check::kDraws;
  }
  // Whoever was drawn last may be left out.
  EXPECT_GE(found, 2);
  EXPECT_GT(measured, 0);
}

TEST(ScoreAudit, NamesAGateThatDoesNotFollowFromTheDrops) {
  const auto run = run_with_screen(4, [](protocol::Screen& screen) {
    for (auto& evaluation : own(screen).evaluations)
      if (evaluation.basis == Basis::kMeasured) evaluation.gate_passed = !evaluation.gate_passed;
  });
  const Finding finding = finding_of(audit(run).report, Check::kEvaluations);
  expect_by_validator(finding, 4);
  EXPECT_NE(finding.expected.find("gate"), std::string::npos);
}

TEST(ScoreAudit, NamesASecondAndDifferentEvaluationOfARound) {
  const auto run = run_with_screen(6, [](protocol::Screen& screen) {
    std::vector<protocol::Evaluation> again;
    for (auto evaluation : own(screen).evaluations) {
      --evaluation.round.value;
      evaluation.scores = {};
      evaluation.scores.all_e3 =
          static_cast<std::int16_t>(evaluation.basis == Basis::kMeasured ? 123 : 0);
      again.push_back(evaluation);
    }
    own(screen).evaluations.insert(own(screen).evaluations.begin(), again.begin(), again.end());
  });
  const Finding finding = finding_of(audit(run).report, Check::kEvaluations);
  expect_by_validator(finding, 6);
  EXPECT_NE(finding.what.find("again and different"), std::string::npos);
}

// As a validator does that took a checkpoint and so does not know whether its last Screen was
// sealed.
TEST(ScoreAudit, TakesAnAssessmentThatIsOpenedTwiceAndNamesOneThatHasChanged) {
  std::optional<protocol::Assessment> before;
  (void)run_with_screen(5, [&](protocol::Screen& screen) { before = screen.opened.back(); });
  ASSERT_TRUE(before.has_value());
  const auto run_that_opens_again = [&](std::int16_t shift) {
    return run_with_screen(6, [&, shift](protocol::Screen& screen) {
      protocol::Assessment again = *before;
      for (auto& evaluation : again.evaluations)
        evaluation.scores.all_e3 = static_cast<std::int16_t>(evaluation.scores.all_e3 + shift);
      screen.opened.insert(screen.opened.begin(), std::move(again));
    });
  };
  EXPECT_EQ(audit(run_that_opens_again(0)).report.count(Check::kEvaluations).failed, 0u);
  expect_by_validator(finding_of(audit(run_that_opens_again(1)).report, Check::kEvaluations), 6);
}

TEST(ScoreAudit, NamesEvaluationsOfARoundThatIsNotSealed) {
  const auto run = run_with_screen(4, [](protocol::Screen& screen) {
    for (auto& evaluation : own(screen).evaluations) evaluation.round.value += 3;
  });
  EXPECT_NE(finding_of(audit(run).report, Check::kEvaluations).what.find("not sealed yet"),
            std::string::npos);
}

TEST(ScoreAudit, NamesASecretThatWasNotPromised) {
  const auto run = run_with_screen(5, [](protocol::Screen& screen) { screen.secret[3] ^= 1; });
  const Finding finding = finding_of(audit(run).report, Check::kSecrets);
  expect_by_validator(finding, 5);
  EXPECT_FALSE(finding.found.empty());
}

TEST(ScoreAudit, NamesAScreenAboutAnotherClose) {
  // The coordinator of the simulation refuses such a Screen, so the manifest is signed again with
  // one.
  sim::RecordedRun run = honest_run();
  const std::size_t index = find_message(run, protocol::MessageType::kManifest, 7);
  testing::change_record(run, index, [&](protocol::SealRecord& record) {
    auto envelope = wire::reread_envelope(record.screens[0]).value();
    auto screen = protocol::read_body<protocol::Screen>(envelope).value();
    screen.commit_root.bytes[0] ^= 1;
    envelope.body = wire::encode(screen);
    const SigningKey& key = run.keys.at(envelope.sender);
    record.screens[0] = wire::seal_envelope(std::move(envelope), key);
  });
  expect_by_validator(finding_of(audit(run).report, Check::kCloses), 7);
}

TEST(ScoreAudit, SeesAValidatorThatVotesAgainstAnHonestMiner) {
  const auto run = testing::run_with_screen(4, [](protocol::Screen& screen) {
    for (auto& entry : screen.entries) entry.verdict = protocol::Verdict::kLowCosine;
  });
  std::uint64_t most = 0, verdicts = 0;
  const auto audited = testing::audit(run);
  for (const auto& [hotkey, validator] : audited.scores.validators()) {
    most = std::max(most, validator.outvoted);
    verdicts += validator.verdicts;
  }
  EXPECT_GE(most, 3u) << "the honest miners of that round";
  EXPECT_GT(verdicts, 50u);
}

// ---- evaluations that stay sealed

TEST(ScoreAudit, OfARunThatSealsItsEvaluationsFindsAllOfThem) {
  sim::WorldConfig config = small_world(kSeed);
  config.rounds_until_opened = 2;
  const auto report = audit(sim::record_world(config)).report;
  ASSERT_TRUE(report.ok()) << text_of(report);
  EXPECT_TRUE(report.remarks.empty());
  EXPECT_GT(report.count(Check::kDraws).held, 0u);
  EXPECT_EQ(report.count(Check::kWeights).held, report.count(Check::kStandings).held / 2)
      << "a weight of every entry, of which the standing and being proven are checked";
  EXPECT_GT(report.count(Check::kEvaluations).held, report.count(Check::kWeights).held / 2);
}

TEST(ScoreAudit, NamesAnAssessmentThatIsNotWhatWasSealed) {
  const auto run = run_with_screen(
      6, [](protocol::Screen& screen) { screen.opened.front().evaluations.front().drop_e6 += 1; },
      2);
  const Finding finding = finding_of(audit(run).report, Check::kEvaluations);
  expect_by_validator(finding, 6);
  EXPECT_NE(finding.what.find("the assessment of round 4, which is not what was sealed then"),
            std::string::npos);
}

TEST(ScoreAudit, RemarksOnAnAssessmentThatWasDueAndIsNotOpened) {
  const auto run = run_with_screen(
      6, [](protocol::Screen& screen) { screen.opened.clear(); }, 2);
  const auto remarks = audit(run).report.remarks;
  ASSERT_FALSE(remarks.empty());
  EXPECT_NE(remarks.front().what.find("opens no assessment of round 4, which was due"),
            std::string::npos);
}

}  // namespace
}  // namespace muster::verify
