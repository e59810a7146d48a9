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
    EXPECT_GT(view.mean, 1);
    EXPECT_FALSE(view.gate_failed);
    EXPECT_NE(text_of(explanation).find("weight " + std::to_string(view.weight)), std::string::npos)
        << text_of(explanation);
  }
  std::uint64_t rounds = explanation.miner.absent;
  for (const auto& [code, count] : explanation.miner.outcomes) rounds += count;
  EXPECT_EQ(rounds, 8u) << "every round is counted once";
}

// A small network: z tells hardly anything apart, and the best miner of all is below the least reference.
TEST(Explanation, DoesNotBlameWhoDoesBetterThanTheOthers) {
  MinerStory::Content miner;
  miner.recent.push_back({.round = Round{7}, .outcome = OutcomeCode::kAccepted});
  ValidatorView view;
  view.evaluations = 12;
  view.mean = 0.74;
  view.lower_bound = 0.31;
  view.reference = 1;
  view.others_mean = -1.96;
  const auto words = [&] {
    std::string text;
    for (const std::string& line : advice(miner, view)) text += line + "\n";
    return text;
  };
  EXPECT_EQ(words().find("did not train"), std::string::npos) << words();
  EXPECT_NE(words().find("no worse than the others' median of -1.96"), std::string::npos) << words();
  EXPECT_NE(words().find("must exceed 0.50"), std::string::npos) << words();
  view.others_mean = 2.5;
  EXPECT_NE(words().find("did not train"), std::string::npos) << words();
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
  EXPECT_NE(text.find("measured z"), std::string::npos) << text;
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
