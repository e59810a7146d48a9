#include "verify/evaluation.h"

#include <gtest/gtest.h>

namespace muster::verify {
namespace {

using protocol::Basis;
using protocol::OutcomeCode;
using protocol::Verdict;

protocol::Evaluation of(const std::vector<protocol::Evaluation>& evaluations, std::uint16_t uid) {
  for (const auto& evaluation : evaluations)
    if (evaluation.uid == Uid{uid}) return evaluation;
  ADD_FAILURE() << "no evaluation of uid " << uid;
  return {};
}

const ScoreParts kScore{0.5, {0.4, 0.5, 0.6, -0.1}, {0.3, 0.4912}};

const protocol::VerificationParams kParams{.drop_gate = 0.25f};

TEST(Evaluate, TheGateIsAShareOfTheMedianDrop) {
  const SealedFacts round{Round{3},
                          {{Uid{1}, OutcomeCode::kAccepted},
                           {Uid{2}, OutcomeCode::kAccepted},
                           {Uid{3}, OutcomeCode::kAccepted}},
                          {},
                          {}};
  const auto evaluations = evaluate(
      kParams, round,
      {{Uid{1}, kScore, 0.010, 0}, {Uid{2}, kScore, 0.011, 0}, {Uid{3}, kScore, 0.002, 0}});
  EXPECT_TRUE(of(evaluations, 1).gate_passed);
  EXPECT_TRUE(of(evaluations, 2).gate_passed);
  EXPECT_FALSE(of(evaluations, 3).gate_passed);
  EXPECT_EQ(of(evaluations, 1).scores, (protocol::Scores{500, {400, 500, 600, -100}, {300, 491}}));
  EXPECT_EQ(of(evaluations, 1).drop_e6, 10000);
}

TEST(Scores, SurviveBeingSignedToAThousandth) {
  const protocol::Scores signed_scores = evaluation_of(Round{1}, {Uid{1}, kScore}).scores;
  EXPECT_EQ(evaluation_of(Round{1}, {Uid{1}, score_of(signed_scores)}).scores, signed_scores);
  EXPECT_EQ(scores_text(signed_scores),
            "0.500 (quarters 0.400 0.500 0.600 -0.100; tensor groups 0.300 0.491)");
}

TEST(Evaluate, ADropBelowTheGateByLessThanItsNoisePasses) {
  const SealedFacts round{Round{3},
                          {{Uid{1}, OutcomeCode::kAccepted},
                           {Uid{2}, OutcomeCode::kAccepted},
                           {Uid{3}, OutcomeCode::kAccepted}},
                          {},
                          {}};
  const auto evaluations = evaluate(
      kParams, round,
      {{Uid{1}, kScore, 0.010, 0}, {Uid{2}, kScore, 0.001, 0.001}, {Uid{3}, kScore, 0.010, 0}});
  EXPECT_TRUE(of(evaluations, 2).gate_passed);
  EXPECT_EQ(of(evaluations, 2).drop_error_e6, 1000);
}

TEST(Evaluate, TheMedianDropIsByWeight) {
  SealedFacts round{Round{3},
                    {{Uid{1}, OutcomeCode::kAccepted},
                     {Uid{2}, OutcomeCode::kAccepted},
                     {Uid{3}, OutcomeCode::kAccepted}},
                    {},
                    {}};
  const std::vector<Measurement> measured{
      {Uid{1}, kScore, 0.010, 0}, {Uid{2}, kScore, 0.001, 0}, {Uid{3}, kScore, 0.001, 0}};
  EXPECT_TRUE(of(evaluate(kParams, round, measured), 2).gate_passed) << "two of three do nothing";
  round.weights = {{Uid{1}, 9}, {Uid{2}, 1}, {Uid{3}, 1}};
  const auto evaluations = evaluate(kParams, round, measured);
  EXPECT_TRUE(of(evaluations, 1).gate_passed);
  EXPECT_FALSE(of(evaluations, 2).gate_passed);
}

TEST(Evaluate, TheGateIsHeldUpByTheRoundsBefore) {
  SealedFacts round{
      Round{3}, {{Uid{1}, OutcomeCode::kAccepted}, {Uid{2}, OutcomeCode::kAccepted}}, {}, {}};
  const std::vector<Measurement> measured{{Uid{1}, kScore, 0.001, 0}, {Uid{2}, kScore, 0.001, 0}};
  EXPECT_TRUE(of(evaluate(kParams, round, measured), 1).gate_passed);
  round.trailing_drop_e6 = 10'000;  // a quarter of half of it is above 0.001
  EXPECT_FALSE(of(evaluate(kParams, round, measured), 1).gate_passed);
}

TEST(Evaluate, ALossThatRisesFailsTheGateEvenWhenEverybodysDoes) {
  const SealedFacts round{Round{3}, {{Uid{1}, OutcomeCode::kAccepted}}, {}, {}};
  EXPECT_FALSE(of(evaluate(kParams, round, {{Uid{1}, kScore, -0.01, 0.004}}), 1).gate_passed);
}

TEST(Evaluate, WhomThisValidatorScreenedOutIsRejectedWhetherMeasuredOrNot) {
  const SealedFacts round{Round{3},
                          {{Uid{1}, OutcomeCode::kAccepted}, {Uid{2}, OutcomeCode::kRejected}},
                          {{Uid{1}, Verdict::kReplay}, {Uid{2}, Verdict::kLowCosine}},
                          {}};
  const auto evaluations = evaluate(kParams, round, {{Uid{1}, kScore, 0.01, 0}});
  for (const std::uint16_t uid : std::initializer_list<std::uint16_t>{1, 2}) {
    EXPECT_EQ(of(evaluations, uid), (protocol::Evaluation{Uid{uid}, Round{3}, Basis::kRejected}));
    EXPECT_FALSE(may_be_measured(round, Uid{uid}));
  }
}

TEST(Evaluate, WhomTheOthersRejectedMayBeMeasuredByWhoDidNot) {
  const SealedFacts round{
      Round{3}, {{Uid{1}, OutcomeCode::kRejected}}, {{Uid{1}, Verdict::kAccept}}, {}};
  EXPECT_TRUE(may_be_measured(round, Uid{1}));
  EXPECT_TRUE(of(evaluate(kParams, round, {{Uid{1}, kScore, 0.01, 0}}), 1).gate_passed);
}

TEST(Evaluate, EveryMinerOfTheRoundHasOneAndSoHasWhoStayedAway) {
  const SealedFacts round{Round{3},
                          {{Uid{1}, OutcomeCode::kAccepted},
                           {Uid{2}, OutcomeCode::kMissed},
                           {Uid{3}, OutcomeCode::kKeyWithheld},
                           {Uid{4}, OutcomeCode::kRejected},
                           {Uid{6}, OutcomeCode::kMalformed}},
                          {},
                          {Uid{5}}};
  const auto evaluations = evaluate(kParams, round, {{Uid{4}, kScore, 0.01, 0}});
  ASSERT_EQ(evaluations.size(), 6u);
  EXPECT_EQ(of(evaluations, 1).basis, Basis::kUnmeasured);
  EXPECT_EQ(of(evaluations, 2).basis, Basis::kAbsent);
  EXPECT_EQ(of(evaluations, 3).basis, Basis::kFault);
  EXPECT_EQ(of(evaluations, 4).basis, Basis::kMeasured);
  EXPECT_EQ(of(evaluations, 5).basis, Basis::kAbsent);
  EXPECT_EQ(of(evaluations, 6).basis, Basis::kFault);
}

TEST(Evaluate, WhatAnEquivocatorSentIsNoMeritHoweverGood) {
  const SealedFacts round{
      Round{3}, {{Uid{1}, OutcomeCode::kAccepted}, {Uid{2}, OutcomeCode::kEquivocated}}, {}, {}};
  const auto evaluations =
      evaluate(kParams, round, {{Uid{1}, kScore, 0.01, 0}, {Uid{2}, kScore, 0.9, 0}});
  EXPECT_EQ(of(evaluations, 2).basis, Basis::kFault);
  EXPECT_TRUE(of(evaluations, 1).gate_passed) << "nor does it move the gate of others";
}

}  // namespace
}  // namespace muster::verify
