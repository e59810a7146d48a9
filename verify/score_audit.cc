#include "verify/score_audit.h"

#include <algorithm>
#include <set>

#include "base/limits.h"
#include "protocol/assessment.h"
#include "protocol/tally.h"
#include "verify/evaluation.h"

namespace muster::verify {

using protocol::Basis;
using protocol::Evaluation;

namespace {

std::string of_uid(Uid uid) { return " of uid " + std::to_string(uid.value); }

std::string text_of(const Evaluation& evaluation) {
  std::string text(name_of(evaluation.basis));
  if (evaluation.basis != Basis::kMeasured) return text;
  return text + (evaluation.gate_passed ? ", gate passed" : ", gate failed") + ", score " +
         scores_text(evaluation.scores) + ", drop " + std::to_string(evaluation.drop_e6) + " ± " +
         std::to_string(evaluation.drop_error_e6) + "/10⁶";
}

std::vector<Measurement> measurements_of(const std::vector<Evaluation>& evaluations) {
  std::vector<Measurement> measurements;
  for (const Evaluation& evaluation : evaluations)
    if (evaluation.basis == Basis::kMeasured)
      measurements.push_back({evaluation.uid, score_of(evaluation.scores), evaluation.drop_e6 / 1e6,
                              evaluation.drop_error_e6 / 1e6});
  return measurements;
}

}  // namespace

void ScoreAudit::Place::fail(Check check, std::string what, std::string expected,
                             std::string found) const {
  report.fail({check, round.position.round,
               Signer{screen.hotkey, Role::kValidator, screen.uid, screen.stake},
               "Screen: " + std::move(what), std::move(expected), std::move(found)});
}

ScoreAudit::Facts* ScoreAudit::find_facts(Round round) {
  for (Facts& facts : facts_)
    if (facts.round == round) return &facts;
  return nullptr;
}

Status ScoreAudit::take(const AuditedRound& round, AuditReport& report) {
  Facts facts;
  facts.round = round.position.round;
  facts.late_beacon = late_beacon(round.manifest);
  if (round.manifest.null_round) facts.nobodys = "a null round";
  if (!round.manifest.most_revealed) facts.nobodys = "in which most kept their keys";
  facts.sealed = facts_of(round.manifest, round.open, round.head);
  for (const AuditedScreen& screen : round.screens) {
    Validator& validator = validators_[screen.hotkey];
    const Place place{round, screen, report};
    take_opened(place, validator);
    check_standings(place, validator);
    count_verdicts(screen, facts, validator);
    validator.last_screen = round.position.round;
    auto& judge = facts.judges[screen.hotkey];
    judge.promised = screen.promised;
    judge.secret = screen.screen.secret;
    if (screen.promised)
      for (const auto& entry : screen.screen.entries) judge.verdicts[entry.uid] = entry.verdict;
  }
  miners_.clear();
  for (const auto& entry : round.open.roster) {
    if (entry.role == Role::kMiner) miners_[entry.uid] = facts.hotkeys[entry.uid] = entry.hotkey;
    if (entry.role == Role::kValidator) validators_[entry.hotkey].uid = entry.uid;
  }
  for (auto& [hotkey, validator] : validators_) {
    validator.sealed.take_roster(round.position.round, round.open.roster);
    validator.opened.take_roster(round.position.round, round.open.roster);
  }
  facts_.push_back(std::move(facts));
  if (facts_.size() > kRoundsKept) facts_.pop_front();
  return {};
}

void ScoreAudit::count_verdicts(const AuditedScreen& screen, const Facts& facts,
                                Validator& validator) {
  for (const auto& entry : screen.screen.entries) {
    const auto outcome = facts.sealed.outcomes.find(entry.uid);
    if (entry.verdict == protocol::Verdict::kAbstain || outcome == facts.sealed.outcomes.end())
      continue;
    const bool ruled = outcome->second == protocol::OutcomeCode::kAccepted ||
                       outcome->second == protocol::OutcomeCode::kRejected;
    if (!ruled) continue;
    ++validator.verdicts;
    validator.outvoted += protocol::is_rejection(entry.verdict) !=
                          (outcome->second == protocol::OutcomeCode::kRejected);
  }
}

void ScoreAudit::take_opened(const Place& place, Validator& validator) {
  const Round now = place.round.position.round;
  validator.unopened[now] = place.screen.screen.assessment;
  for (const protocol::Assessment& assessment : place.screen.screen.opened) {
    const auto sealed = validator.unopened.extract(assessment.round);
    const Hash hash =
        protocol::assessment_hash(place.round.position.run_id, place.screen.hotkey, assessment);
    const std::string of_round =
        "the assessment of round " + std::to_string(assessment.round.value);
    // Who took a checkpoint has not seen whether its last Screen was sealed, and opens the same
    // again.
    const auto opened = validator.reopenable.find(assessment.round);
    if (sealed.empty() && opened != validator.reopenable.end() && opened->second == hash) {
      place.report.skip(Check::kEvaluations, assessment.evaluations.size());
      continue;
    }
    validator.reopenable[assessment.round] = hash;
    if (validator.reopenable.size() > kRoundsKept)
      validator.reopenable.erase(validator.reopenable.begin());
    if (sealed.empty() && place.round.first_round > Round{0}) {
      place.report.skip(Check::kEvaluations, assessment.evaluations.size());
    } else if (sealed.empty()) {
      place.fail(Check::kEvaluations,
                 of_round + ", which no Screen sealed or an earlier one opened", {}, hash.hex());
      continue;
    } else if (sealed.mapped() != hash) {
      place.fail(Check::kEvaluations, of_round + ", which is not what was sealed then",
                 sealed.mapped().hex(), hash.hex());
    }
    take_assessment(place, validator, assessment);
  }
  // A Screen that opens as much as it can may leave some.
  if (place.screen.screen.opened.size() >= limits::kOpenedMax) return;
  while (!validator.unopened.empty() &&
         protocol::opened_in(place.round.params, validator.unopened.begin()->first) <= now) {
    // It costs the vote, by the manifests; it need not be a lie.
    place.report.remark(
        {Check::kEvaluations, now,
         Signer{place.screen.hotkey, Role::kValidator, place.screen.uid, place.screen.stake},
         "Screen: opens no assessment of round " +
             std::to_string(validator.unopened.begin()->first.value) + ", which was due"});
    validator.unopened.erase(validator.unopened.begin());
  }
}

void ScoreAudit::take_assessment(const Place& place, Validator& validator,
                                 const protocol::Assessment& assessment) {
  validator.sealed.advance(assessment.round);
  std::map<Round, std::vector<Evaluation>> by_round;
  for (const Evaluation& evaluation : assessment.evaluations)
    by_round[evaluation.round].push_back(evaluation);
  for (auto& [round, evaluations] : by_round) {
    Facts* facts = find_facts(round);
    if (round >= assessment.round) {
      place.fail(
          Check::kEvaluations,
          "evaluations of round " + std::to_string(round.value) + ", which was not sealed yet", {},
          {});
    } else if (facts == nullptr) {
      place.report.skip(Check::kEvaluations, evaluations.size());
    } else {
      check_evaluations(place, *facts, validator, evaluations);
    }
  }
  validator.sealed.take(assessment);
  validator.opened.take(assessment.evaluations);
  check_weights(place, validator, assessment);
}

void ScoreAudit::check_evaluations(const Place& place, Facts& facts, const Validator& validator,
                                   std::vector<Evaluation> found) {
  const std::string of_round = " in round " + std::to_string(facts.round.value);
  std::sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return a.uid < b.uid; });
  auto& before = facts.evaluations[place.screen.hotkey];
  if (before == found) return place.report.skip(Check::kEvaluations, found.size());  // sent again
  if (!before.empty())
    return place.fail(Check::kEvaluations, "evaluations" + of_round + ", again and different", {},
                      {});
  before = found;
  const auto judge = facts.judges.find(place.screen.hotkey);
  if (!facts.nobodys.empty())
    return place.fail(
        Check::kEvaluations,
        "evaluations" + of_round + ", " + facts.nobodys + ", which is nobody's evaluation", {}, {});
  if (judge != facts.judges.end() && !judge->second.promised)
    return place.fail(Check::kEvaluations,
                      "evaluations" + of_round + ", for which it had promised no secret", {}, {});

  SealedFacts sealed = facts.sealed;
  if (judge != facts.judges.end()) sealed.verdicts = judge->second.verdicts;
  for (const Evaluation& evaluation : found)
    if (!facts.sealed.outcomes.contains(evaluation.uid)) sealed.missing.push_back(evaluation.uid);
  for (const Uid uid : validator.sealed.missing_in(facts.round))
    if (std::ranges::find(sealed.missing, uid) == sealed.missing.end())
      sealed.missing.push_back(uid);

  std::map<Uid, Evaluation> expected;
  for (const Evaluation& evaluation :
       evaluate(place.round.params.verification, sealed, measurements_of(found)))
    expected[evaluation.uid] = evaluation;
  for (const Evaluation& evaluation : found) {
    const auto right = expected.extract(evaluation.uid);
    if (right.empty()) {
      place.fail(Check::kEvaluations, "a second evaluation" + of_uid(evaluation.uid) + of_round, {},
                 {});
      continue;
    }
    const Evaluation& wanted = right.mapped();
    if (evaluation == wanted) {
      place.report.hold(Check::kEvaluations);
    } else if (judge == facts.judges.end() && wanted.basis == Basis::kUnmeasured &&
               evaluation == Evaluation{evaluation.uid, facts.round, Basis::kRejected}) {
      place.report.skip(Check::kEvaluations);  // its Screen of that round, which may have rejected,
                                               // was not sealed
    } else {
      const auto outcome = facts.sealed.outcomes.find(evaluation.uid);
      const std::string why = outcome == facts.sealed.outcomes.end()
                                  ? "not in the roster"
                                  : std::string(name_of(outcome->second));
      place.fail(Check::kEvaluations,
                 "evaluation" + of_uid(evaluation.uid) + of_round + " (" + why + ")",
                 text_of(wanted), text_of(evaluation));
    }
  }
  for (const auto& [uid, wanted] : expected)
    place.fail(Check::kEvaluations, "evaluation" + of_uid(uid) + of_round, text_of(wanted), "none");
  check_draw(place, facts, validator, found);
}

// Whoever is measured was drawn: the validator's time ends the drawn order somewhere, and leaves
// out nobody in it. REQUIRES: the validator's book has what its earlier Screens sealed, and nothing
// else.
void ScoreAudit::check_draw(const Place& place, const Facts& facts, const Validator& validator,
                            const std::vector<Evaluation>& evaluations) const {
  const auto judge = facts.judges.find(place.screen.hotkey);
  std::vector<Measurable> miners;
  std::set<Uid> measured;
  bool same_hotkeys = true;  // as when the validator drew
  for (const Evaluation& evaluation : evaluations) {
    if (evaluation.basis == Basis::kMeasured) measured.insert(evaluation.uid);
    if (evaluation.basis != Basis::kMeasured && evaluation.basis != Basis::kUnmeasured) continue;
    miners.push_back(validator.sealed.book().measurable(evaluation.uid));
    const auto hotkey = facts.hotkeys.find(evaluation.uid);
    same_hotkeys &= hotkey != facts.hotkeys.end() &&
                    validator.sealed.book().holds(evaluation.uid, hotkey->second);
  }
  if (measured.empty()) return;
  // Uncertainties follow from all evaluations since the run began.
  if (judge == facts.judges.end() || !same_hotkeys || place.round.first_round > Round{0})
    return place.report.skip(Check::kDraws);
  const auto order = measuring_order(judge->second.secret, facts.late_beacon, miners);
  for (std::size_t i = 0; i < measured.size(); ++i) {
    if (measured.contains(order[i])) continue;
    return place.fail(Check::kDraws,
                      "measured " + std::to_string(measured.size()) + " miners of round " +
                          std::to_string(facts.round.value) + ", and not uid " +
                          std::to_string(order[i].value) + ", who was drawn in place " +
                          std::to_string(i + 1),
                      {}, {});
  }
  place.report.hold(Check::kDraws);
}

void ScoreAudit::check_weights(const Place& place, const Validator& validator,
                               const protocol::Assessment& assessment) {
  const auto weight_of = validator.sealed.book().weights();
  const Facts* facts = find_facts(assessment.round);
  for (const auto& [uid, signed_weight] : assessment.weights) {
    // They follow from all evaluations since the run began.
    if (place.round.first_round > Round{0}) {
      place.report.skip(Check::kWeights);
      continue;
    }
    const bool is_now = assessment.round == place.round.position.round;
    const auto* member = is_now ? protocol::find_in_roster(place.round.open, uid) : nullptr;
    std::optional<PublicKey> hotkey;
    if (member != nullptr) hotkey = member->hotkey;
    if (facts != nullptr)
      if (const auto known = facts->hotkeys.find(uid); known != facts->hotkeys.end())
        hotkey = known->second;
    if (!hotkey) {
      place.fail(Check::kWeights, "a weight" + of_uid(uid) + ", who was in no roster then", {}, {});
      continue;
    }
    const auto found = weight_of.find(*hotkey);
    const std::uint16_t expected = found == weight_of.end() ? 0 : found->second;
    if (expected == signed_weight) {
      place.report.hold(Check::kWeights);
    } else {
      place.fail(Check::kWeights,
                 "weight" + of_uid(uid) + " in round " + std::to_string(assessment.round.value),
                 std::to_string(expected), std::to_string(signed_weight));
    }
  }
}

void ScoreAudit::check_standings(const Place& place, const Validator& validator) const {
  const auto standing_of = validator.opened.standings();
  auto same = [&](const char* what, Uid uid, std::uint16_t expected, std::uint16_t found) {
    // They follow from all evaluations since the run began.
    if (place.round.first_round > Round{0}) return place.report.skip(Check::kStandings);
    if (expected == found) return place.report.hold(Check::kStandings);
    place.fail(Check::kStandings, what + of_uid(uid), std::to_string(expected),
               std::to_string(found));
  };
  for (const auto& entry : place.screen.screen.entries) {
    const auto* member = protocol::find_in_roster(place.round.open, entry.uid);
    if (member == nullptr || !place.round.payloads.contains(entry.uid)) {
      place.fail(Check::kStandings, "an entry" + of_uid(entry.uid) + ", who committed nothing", {},
                 {});
      continue;
    }
    const auto rated = standing_of.find(member->hotkey);
    const auto standing = rated == standing_of.end() ? protocol::Standing{} : rated->second;
    same("standing", entry.uid, standing.value, entry.standing);
    same("being proven", entry.uid, standing.proven, entry.proven);
  }
}

}  // namespace muster::verify
