#include "verify/evaluation.h"

#include <algorithm>
#include <cmath>

#include "verify/quantise.h"

namespace muster::verify {

using protocol::Basis;
using protocol::Evaluation;
using protocol::OutcomeCode;

namespace {

double median(std::vector<double> values) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  const std::size_t middle = values.size() / 2;
  return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

bool screened_out(const SealedFacts& round, Uid uid) {
  const auto verdict = round.verdicts.find(uid);
  return verdict != round.verdicts.end() && protocol::is_rejection(verdict->second);
}

// A payload that decodes is no merit of who equivocated.
bool may_be_measured(const SealedFacts& round, Uid uid) {
  const auto outcome = round.outcomes.find(uid);
  return outcome != round.outcomes.end() && basis_of(outcome->second) == Basis::kMeasured;
}

}  // namespace

Basis basis_of(OutcomeCode code) {
  switch (code) {
    case OutcomeCode::kAccepted:
    case OutcomeCode::kRejected: return Basis::kMeasured;
    case OutcomeCode::kMissed: return Basis::kAbsent;
    case OutcomeCode::kKeyWithheld:
    case OutcomeCode::kWrongKey:
    case OutcomeCode::kMalformed:
    case OutcomeCode::kTooFewSequences:
    case OutcomeCode::kBelowMinimumNorm:
    case OutcomeCode::kEquivocated: return Basis::kFault;
  }
  MUSTER_UNREACHABLE();
}

std::vector<Evaluation> evaluate(const protocol::VerificationParams& params,
                                 const SealedFacts& round,
                                 const std::vector<Measurement>& measurements) {
  std::vector<double> drops;
  for (const Measurement& measured : measurements)
    if (may_be_measured(round, measured.uid)) drops.push_back(measured.relative_drop);
  const double threshold = std::max(0.0, static_cast<double>(params.drop_gate) * median(drops));

  std::map<Uid, Evaluation> evaluations;
  for (Uid uid : round.missing) evaluations[uid] = {uid, round.round, Basis::kAbsent, 0, 0, false};
  for (const auto& [uid, code] : round.outcomes) {
    const Basis basis = basis_of(code);
    evaluations[uid] = {uid, round.round, basis == Basis::kMeasured ? Basis::kUnmeasured : basis,
                        0,   0,           false};
  }
  for (const Measurement& measured : measurements) {
    if (!may_be_measured(round, measured.uid)) continue;
    evaluations[measured.uid] = {
        measured.uid,
        round.round,
        Basis::kMeasured,
        quantise<std::int16_t>(measured.z, 100),
        quantise<std::int32_t>(measured.relative_drop, 1e6),
        measured.relative_drop > threshold && !screened_out(round, measured.uid)};
  }
  std::vector<Evaluation> ascending;
  for (const auto& [uid, evaluation] : evaluations) ascending.push_back(evaluation);
  return ascending;
}

}  // namespace muster::verify
