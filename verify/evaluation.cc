#include "verify/evaluation.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <tuple>

#include "protocol/tally.h"
#include "verify/quantise.h"

namespace muster::verify {

using protocol::Basis;
using protocol::Evaluation;
using protocol::OutcomeCode;

SealedFacts facts_of(const protocol::Manifest& manifest, const protocol::RoundOpen& open,
                     const protocol::ChainHead& head) {
  SealedFacts facts{head.round(), {}, {}, {}, {}, head.trailing_drop_e6()};
  const auto weights = protocol::miner_weights(manifest.standings);
  for (const protocol::RosterEntry& entry : open.roster) {
    const auto rank = protocol::miner_rank(open, entry.uid);
    if (!rank) continue;
    facts.outcomes[entry.uid] = manifest.codes[*rank];
    facts.weights[entry.uid] = weights[*rank];
  }
  return facts;
}

Basis basis_of(OutcomeCode code) {
  switch (code) {
    case OutcomeCode::kAccepted:
    case OutcomeCode::kRejected:
      return Basis::kMeasured;
    case OutcomeCode::kMissed:
      return Basis::kAbsent;
    case OutcomeCode::kKeyWithheld:
    case OutcomeCode::kWrongKey:
    case OutcomeCode::kMalformed:
    case OutcomeCode::kOtherSequences:
    case OutcomeCode::kBelowMinimumNorm:
    case OutcomeCode::kAboveMaximumNorm:
    case OutcomeCode::kEquivocated:
      return Basis::kFault;
  }
  MUSTER_UNREACHABLE();
}

Evaluation evaluation_of(Round round, const Measurement& measured) {
  const auto e3 = [](double part) { return quantise<std::int16_t>(part, 1000); };
  protocol::Scores scores{.all_e3 = e3(measured.score.all)};
  std::ranges::transform(measured.score.quarters, scores.quarters_e3.begin(), e3);
  for (const double group : measured.score.groups) scores.groups_e3.push_back(e3(group));
  return {measured.uid,
          round,
          Basis::kMeasured,
          std::move(scores),
          quantise<std::int32_t>(measured.relative_drop, 1e6),
          quantise<std::int32_t>(measured.drop_error, 1e6),
          false};
}

namespace {

bool is_close(const Evaluation& a, const Evaluation& b, const ScoreTolerance& tolerance) {
  const auto scores = [&](std::int16_t x, std::int16_t y) {
    return std::abs(x - y) <= tolerance.score_e3;
  };
  const auto drops = [&](double x, double y) {
    return std::abs(x - y) <=
           tolerance.drop_e6 + tolerance.drop_share * std::max(std::abs(x), std::abs(y));
  };
  return scores(a.scores.all_e3, b.scores.all_e3) &&
         std::ranges::equal(a.scores.quarters_e3, b.scores.quarters_e3, scores) &&
         std::ranges::equal(a.scores.groups_e3, b.scores.groups_e3, scores) &&
         drops(a.drop_e6, b.drop_e6) && drops(a.drop_error_e6, b.drop_error_e6);
}

}  // namespace

Agreement compare(const Evaluation& a, const std::string& class_a, const Evaluation& b,
                  const std::string& class_b, const ScoreTolerance& tolerance) {
  const auto measured = [](const Evaluation& evaluation) {
    return std::tie(evaluation.scores, evaluation.drop_e6, evaluation.drop_error_e6);
  };
  if (measured(a) == measured(b))
    return class_a == class_b ? Agreement::kExact : Agreement::kWithin;
  return class_a != class_b && is_close(a, b, tolerance) ? Agreement::kWithin : Agreement::kNone;
}

ScoreParts score_of(const protocol::Scores& scores) {
  ScoreParts score{.all = scores.all_e3 / 1000.0};
  for (std::size_t i = 0; i < score.quarters.size(); ++i)
    score.quarters[i] = scores.quarters_e3[i] / 1000.0;
  for (const std::int16_t group : scores.groups_e3) score.groups.push_back(group / 1000.0);
  return score;
}

std::string scores_text(const protocol::Scores& scores) {
  const auto text = [](std::int16_t e3) {
    char digits[16];
    std::snprintf(digits, sizeof(digits), "%.3f", e3 / 1000.0);
    return std::string(digits);
  };
  std::string all = text(scores.all_e3) + " (quarters";
  for (const std::int16_t quarter : scores.quarters_e3) all += " " + text(quarter);
  all += "; tensor groups";
  for (const std::int16_t group : scores.groups_e3) all += " " + text(group);
  return all + ")";
}

double drop_threshold(const protocol::VerificationParams& params, const SealedFacts& round,
                      const std::vector<Evaluation>& evaluations) {
  const double median = protocol::median_drop_e6(evaluations, round.weights).value_or(0);
  return static_cast<double>(params.drop_gate) *
         std::max({0.0, median, round.trailing_drop_e6 / 2});
}

bool passes_gate(const Evaluation& evaluation, double threshold_e6) {
  return evaluation.drop_e6 + 2.0 * evaluation.drop_error_e6 > threshold_e6;
}

namespace {

// What is known of a payload before it is measured.
Basis basis_in(const SealedFacts& round, Uid uid, OutcomeCode code) {
  const Basis basis = basis_of(code);
  if (basis != Basis::kMeasured) return basis;
  const auto verdict = round.verdicts.find(uid);
  const bool rejected = verdict != round.verdicts.end() && protocol::is_rejection(verdict->second);
  return rejected ? Basis::kRejected : Basis::kUnmeasured;
}

}  // namespace

bool may_be_measured(const SealedFacts& round, Uid uid) {
  const auto outcome = round.outcomes.find(uid);
  return outcome != round.outcomes.end() &&
         basis_in(round, uid, outcome->second) == Basis::kUnmeasured;
}

std::vector<Evaluation> evaluate(const protocol::VerificationParams& params,
                                 const SealedFacts& round,
                                 const std::vector<Measurement>& measurements) {
  std::map<Uid, Evaluation> by_uid;
  const auto add = [&](Uid uid, Basis basis) {
    by_uid[uid] = {uid, round.round, basis, {}, 0, 0, false};
  };
  for (Uid uid : round.missing) add(uid, Basis::kAbsent);
  for (const auto& [uid, code] : round.outcomes) add(uid, basis_in(round, uid, code));
  for (const Measurement& measured : measurements) {
    // A payload that decodes is no merit of who equivocated.
    if (!may_be_measured(round, measured.uid)) continue;
    by_uid[measured.uid] = evaluation_of(round.round, measured);
  }
  std::vector<Evaluation> ascending;
  for (const auto& [uid, evaluation] : by_uid) ascending.push_back(evaluation);
  const double threshold = drop_threshold(params, round, ascending);
  for (Evaluation& evaluation : ascending)
    evaluation.gate_passed =
        evaluation.basis == Basis::kMeasured && passes_gate(evaluation, threshold);
  return ascending;
}

}  // namespace muster::verify
