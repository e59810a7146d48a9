// Why a miner is paid what it is: what stands in the words must be what was signed.
#include "verify/explanation.h"

#include "tests/verify/audit_fixture.h"

namespace muster::verify {
namespace {

using namespace muster::testing;
using protocol::OutcomeCode;

struct Told {
  ScoreAudit scores;
  MinerStory story;
};

Told tell(const sim::RecordedRun& run, MinerSelector selector, std::optional<Round> round = {}) {
  Told told{{}, MinerStory(std::move(selector), round)};
  Audit audit(run.params, run.initial_theta,
              [&](const Hash& id) -> Result<Bytes> { return run.blobs.at(id); });
  audit.on_round([&](const AuditedRound& sealed, AuditReport& report) {
    return told.scores.take(sealed, report);
  });
  audit.on_round([&](const AuditedRound& sealed, AuditReport& report) {
    return told.story.take(sealed, report);
  });
  for (const Bytes& message : run.messages) EXPECT_TRUE(audit.take(message).value());
  return told;
}

Explanation explain_uid(std::uint16_t uid, std::optional<Uid> validator = {}) {
  const Told told = tell(honest_run(), {Uid{uid}});
  return explain(told.story, told.scores, validator).value();
}

std::string text_of(const Explanation& explanation) {
  std::string text;
  for (const std::string& line : explanation.lines) text += line + "\n";
  return text;
}

// Miners 1 to 3 of the small world send noise, replay, and withhold their keys.
TEST(Explanation, OfAnHonestMinerHasItsFigures) {
  const Explanation explanation = explain_uid(5);
  EXPECT_EQ(explanation.miner.uid, Uid{5});
  ASSERT_EQ(explanation.views.size(), 3u);
  for (const ValidatorView& view : explanation.views) {
    EXPECT_GT(view.weight, 0u);
    EXPECT_GT(view.mean, 0.1);
    EXPECT_FALSE(view.gate_failed);
    EXPECT_NE(text_of(explanation).find("weight " + std::to_string(view.weight)), std::string::npos)
        << text_of(explanation);
  }
  std::uint64_t rounds = explanation.miner.absent;
  for (const auto& [code, count] : explanation.miner.outcomes) rounds += count;
  EXPECT_EQ(rounds, 8u) << "every round is counted once";
}

TEST(Explanation, SaysWhatIsStillSealed) {
  sim::WorldConfig config = small_world(kSeed);
  config.rounds_until_opened = 2;
  sim::RecordedRun run = sim::record_world(config);
  run.messages.resize(find_message(run, protocol::MessageType::kManifest, 5) + 1);
  const Told told = tell(run, {Uid{5}});
  const Explanation explanation = explain(told.story, told.scores, {}).value();
  for (const ValidatorView& view : explanation.views) EXPECT_LE(view.sealed, 2u);
  EXPECT_NE(text_of(explanation).find("what 2 Screens found last is still sealed"),
            std::string::npos)
      << text_of(explanation);
}

class AdviceTest : public ::testing::Test {
 protected:
  AdviceTest() {
    miner_.recent.push_back({.round = Round{7}, .outcome = OutcomeCode::kAccepted});
    view_.evaluations = 12;
    view_.mean = view_.others_mean = 0.48;
    view_.share = view_.weakest_share = 1;
    view_.rank = 1;
  }
  std::string words() const {
    std::string text;
    for (const std::string& line : advice(miner_, view_)) text += line + "\n";
    return text;
  }
  MinerStory::Content miner_;
  ValidatorView view_;
};

TEST_F(AdviceTest, HasNothingToSayToTheBest) {
  EXPECT_NE(words().find("nothing: it has the best"), std::string::npos);
}

TEST_F(AdviceTest, NamesTheWeakestPart) {
  view_.share = 0.6;
  view_.weakest_share = 0.3;
  view_.weakest_part = 3;
  EXPECT_NE(words().find("weakest part is quarter 4 of the positions, with 30 %"),
            std::string::npos)
      << words();
  view_.weakest_part = 6;
  EXPECT_NE(words().find("weakest part is tensor group 2"), std::string::npos) << words();
  EXPECT_EQ(words().find("nothing is paid"), std::string::npos) << words();
}

TEST_F(AdviceTest, SaysWhenAllPartsAreWeakAlike) {
  view_.share = view_.weakest_share = 0.35;
  view_.mean = 0.2;
  EXPECT_NE(words().find("its score is 0.200 where the others have 0.480: more"), std::string::npos)
      << words();
  EXPECT_NE(words().find("nothing is paid up to 40 %"), std::string::npos) << words();
}

TEST_F(AdviceTest, SaysWhenItLooksLikeNoTraining) {
  view_.share = view_.weakest_share = 0.02;
  view_.mean = 0.01;
  EXPECT_NE(words().find("did not train"), std::string::npos) << words();
}

TEST_F(AdviceTest, SaysWhenPayloadsAreOfNoUse) {
  view_.is_useless = true;
  EXPECT_NE(words().find("less than half of what the others' do"), std::string::npos) << words();
}

TEST(Explanation, NamesWhatRejectedNoise) {
  const std::string text = text_of(explain_uid(1));
  EXPECT_NE(text.find("Rejected by validator uid"), std::string::npos) << text;
  EXPECT_NE(text.find("low cosine"), std::string::npos) << text;
  EXPECT_NE(text.find("nothing of it enters the aggregate until"), std::string::npos) << text;
}

TEST(Explanation, NamesTheKeyThatWasWithheld) {
  const std::string text = text_of(explain_uid(3));
  EXPECT_NE(text.find("Broke the protocol (key withheld) in round"), std::string::npos) << text;
}

TEST(Explanation, CanBeOfOneValidatorOnly) {
  const Explanation explanation = explain_uid(5, Uid{8});
  ASSERT_EQ(explanation.views.size(), 1u);
  EXPECT_EQ(explanation.views[0].validator, Uid{8});
}

TEST(Explanation, OfARoundHasVerdictsAndScores) {
  const Told told = tell(honest_run(), {Uid{5}}, Round{5});
  const Explanation explanation = explain(told.story, told.scores, {}, Round{5}).value();
  const std::string text = text_of(explanation);
  EXPECT_NE(text.find("Round 5: accepted"), std::string::npos) << text;
  EXPECT_NE(text.find("accept (cosine"), std::string::npos) << text;
  EXPECT_NE(text.find("measured a score of"), std::string::npos) << text;
  EXPECT_EQ(explain(told.story, told.scores, {}, Round{99}).error().code, Errc::kNotFound);
}

TEST(Explanation, FindsAMinerByTheBeginningOfItsHotkey) {
  const PublicKey hotkey = explain_uid(4).miner.hotkey;
  const Told told = tell(honest_run(), {{}, hotkey.hex().substr(0, 12)});
  EXPECT_EQ(explain(told.story, told.scores)->miner.uid, Uid{4});
}

TEST(Explanation, RefusesWhoIsNotThereOrNotOne) {
  const Told nobody = tell(honest_run(), {Uid{77}});
  EXPECT_EQ(explain(nobody.story, nobody.scores).error().code, Errc::kNotFound);
  const Told everybody = tell(honest_run(), {{}, ""});
  EXPECT_EQ(explain(everybody.story, everybody.scores).error().code, Errc::kInvalidArgument);
  const Told known = tell(honest_run(), {Uid{5}});
  EXPECT_EQ(explain(known.story, known.scores, Uid{5}).error().code, Errc::kNotFound)
      << "a miner is no validator";
}

TEST(Explanation, SaysHowManyEvaluationsAreMissing) {
  sim::RecordedRun run = honest_run();
  const std::size_t end = find_message(run, protocol::MessageType::kRoundOpen, 4);
  run.messages.resize(end);
  const Told told = tell(run, {Uid{5}});
  const std::string text = text_of(explain(told.story, told.scores).value());
  EXPECT_NE(text.find("more evaluation"), std::string::npos) << text;
}

}  // namespace
}  // namespace muster::verify
