#include "verify/evaluation.h"

#include <algorithm>

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
    case OutcomeCode::kRejected: return Basis::kMeasured;
    case OutcomeCode::kMissed: return Basis::kAbsent;
    case OutcomeCode::kKeyWithheld:
    case OutcomeCode::kWrongKey:
    case OutcomeCode::kMalformed:
    case OutcomeCode::kOtherSequences:
    case OutcomeCode::kBelowMinimumNorm:
    case OutcomeCode::kAboveMaximumNorm:
    case OutcomeCode::kEquivocated: return Basis::kFault;
  }
  MUSTER_UNREACHABLE();
}

double drop_threshold(const protocol::VerificationParams& params, const SealedFacts& round,
                      const std::vector<Evaluation>& evaluations) {
  const double median = protocol::median_drop_e6(evaluations, round.weights).value_or(0);
  return static_cast<double>(params.drop_gate) * std::max({0.0, median, round.trailing_drop_e6 / 2});
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
  return outcome != round.outcomes.end() && basis_in(round, uid, outcome->second) == Basis::kUnmeasured;
}

std::vector<Evaluation> evaluate(const protocol::VerificationParams& params,
                                 const SealedFacts& round,
                                 const std::vector<Measurement>& measurements) {
  std::map<Uid, Evaluation> by_uid;
  auto add = [&](Uid uid, Basis basis) -> Evaluation& {
    return by_uid[uid] = {uid, round.round, basis, 0, 0, 0, false};
  };
  for (Uid uid : round.missing) add(uid, Basis::kAbsent);
  for (const auto& [uid, code] : round.outcomes) add(uid, basis_in(round, uid, code));
  for (const Measurement& measured : measurements) {
    // A payload that decodes is no merit of who equivocated.
    if (!may_be_measured(round, measured.uid)) continue;
    Evaluation& evaluation = add(measured.uid, Basis::kMeasured);
    evaluation.z_e2 = quantise<std::int16_t>(measured.z, 100);
    evaluation.drop_e6 = quantise<std::int32_t>(measured.relative_drop, 1e6);
    evaluation.drop_error_e6 = quantise<std::int32_t>(measured.drop_error, 1e6);
  }
  std::vector<Evaluation> ascending;
  for (const auto& [uid, evaluation] : by_uid) ascending.push_back(evaluation);
  const double threshold = drop_threshold(params, round, ascending);
  for (Evaluation& evaluation : ascending)
    evaluation.gate_passed = evaluation.basis == Basis::kMeasured && passes_gate(evaluation, threshold);
  return ascending;
}

}  // namespace muster::verify
