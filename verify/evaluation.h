// Evaluations: from a sealed round and what was measured of it to one Evaluation per miner.
//
// The one place where the gates stand, so that the validator, the audit and the attack suite agree.
// Thread safety: pure functions.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "protocol/chain_head.h"
#include "protocol/messages.h"
#include "protocol/params.h"
#include "verify/score.h"

namespace muster::verify {

// A sealed round as one validator sees it.
struct SealedFacts {
  Round round;
  std::map<Uid, protocol::OutcomeCode> outcomes;  // of the manifest: every miner of the roster
  std::map<Uid, protocol::Verdict> verdicts;      // this validator's
  std::vector<Uid> missing;                       // rated miners that are not in the roster
  std::map<Uid, std::uint64_t> weights = {};  // of miners in medians, by the manifest's standings
  double trailing_drop_e6 = 0;                // ChainHead::trailing_drop_e6() before the round
};

// What the manifest of the round that `open` opened says to everybody: all but `verdicts` and
// `missing`. `head`: before the round. REQUIRES: fits_roster(manifest, open).
[[nodiscard]] SealedFacts facts_of(const protocol::Manifest& manifest,
                                   const protocol::RoundOpen& open,
                                   const protocol::ChainHead& head);

// What an outcome alone says of a miner's evaluation: kMeasured means that its payload may be
// measured.
[[nodiscard]] protocol::Basis basis_of(protocol::OutcomeCode code);

// A measurement as it is signed; no gate is applied.
[[nodiscard]] protocol::Evaluation evaluation_of(Round round, const Measurement& measured);
// Between platform classes. Scores are means over ranks, in which a few near ties may turn.
struct ScoreTolerance {
  std::int32_t score_e3 = 60;
  double drop_share = 0.05;  // of the drop, and beside it
  std::int32_t drop_e6 = 200;
};
inline constexpr ScoreTolerance kScoreTolerance{};
// Of a measurement and its repetition, each with the platform class that measured.
enum class Agreement : std::uint8_t {
  kNone,
  kWithin,  // two classes, within the tolerance
  kExact,   // to the last digit
};
[[nodiscard]] Agreement compare(const protocol::Evaluation& a, const std::string& class_a,
                                const protocol::Evaluation& b, const std::string& class_b,
                                const ScoreTolerance& tolerance = kScoreTolerance);

// What the scores of a measured evaluation say.
[[nodiscard]] ScoreParts score_of(const protocol::Scores& scores);
// "0.491 (quarters 0.45 0.47 …; tensor groups 0.44 …)".
[[nodiscard]] std::string scores_text(const protocol::Scores& scores);

// What a loss drop must exceed, in millionths: drop_gate · M, at least 0. M is the lower median, by
// weight, of the measured drops in `evaluations`, those of one validator and round; at least half
// of the trailing one, so that a round full of idle newcomers has a gate too.
[[nodiscard]] double drop_threshold(const protocol::VerificationParams& params,
                                    const SealedFacts& round,
                                    const std::vector<protocol::Evaluation>& evaluations);

// Whether a measured payload passes: its drop does not lie below the threshold by more than two
// standard errors.
[[nodiscard]] bool passes_gate(const protocol::Evaluation& evaluation, double threshold_e6);

// Whether a payload may be measured: its outcome is one of content, and this validator's screen did
// not reject it.
[[nodiscard]] bool may_be_measured(const SealedFacts& round, Uid uid);

// Ascending by uid, with the gate applied to what was quantised; measurements of who must not be
// measured are left out.
[[nodiscard]] std::vector<protocol::Evaluation> evaluate(
    const protocol::VerificationParams& params, const SealedFacts& round,
    const std::vector<Measurement>& measurements);

}  // namespace muster::verify
