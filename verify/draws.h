// Draws: whom a validator measures, and on which sequences. Everyone can redo them once the secret
// is out.
//
// Screening draws follow from (secret, beacon): the secret's hash stood in an earlier manifest. The
// draws of scoring follow from (secret, late beacon), and the late beacon from what a round shows
// after its commits have closed, so that nobody knows them, or can try other commits until they
// suit, while it still can choose what to commit to. Thread safety: pure functions. Determinism:
// integers only but for the uncertainties, which are bit-equal everywhere.
#pragma once

#include <cstdint>
#include <vector>

#include "protocol/assignment.h"
#include "protocol/params.h"
#include "verify/score.h"

namespace muster::verify {

// A hash of a round's RevealsClosed, which has the keys of all payloads, and of the next beacon,
// which has the secrets of all validators that screened. The last one to commit knows neither.
[[nodiscard]] Hash late_beacon(const protocol::Manifest& manifest);

[[nodiscard]] std::vector<std::uint64_t> screening_draw(const protocol::ProtocolParams& params,
                                                        const Hash& run_id,
                                                        const protocol::RoundOpen& open,
                                                        const protocol::Secret& secret);

[[nodiscard]] std::vector<std::uint64_t> shared_draw(const protocol::ProtocolParams& params,
                                                     const Hash& run_id,
                                                     const protocol::RoundOpen& open,
                                                     const protocol::Secret& secret,
                                                     const Hash& late_beacon);

// What a validator draws for the scores of a round, as a task without any miner yet.
[[nodiscard]] ScoreTask score_task(const protocol::ProtocolParams& params, const Hash& run_id,
                                   Round round, const protocol::RoundOpen& open,
                                   const protocol::Secret& secret, const Hash& late_beacon,
                                   std::shared_ptr<const compression::SparseUpdate> aggregate);

// Of the first `used` sequences that miner `uid` was assigned.
[[nodiscard]] std::vector<std::uint64_t> own_draw(
    const protocol::ProtocolParams& params, const Hash& run_id, const protocol::RoundOpen& open,
    const protocol::Secret& secret, const Hash& late_beacon, Uid uid, std::uint32_t used);

// A miner whose payload may be measured.
struct Measurable {
  Uid uid;
  double uncertainty = 0;  // Rating::uncertainty(), not negative
  bool newcomer = false;   // fewer than kEvaluationsBeforePay
};

// The order in which a round's miners are measured, as far as the time goes: a weighted sample
// without replacement (Efraimidis, Spirakis, "Weighted random sampling with a reservoir", 2006). A
// weight is the square of the uncertainty, and at least a quarter of the largest one, so that
// whoever was just measured may be next. Newcomers have every fourth place, from a drawn one on,
// and the others all the rest, until one of both is used up: hotkeys that come in any number take a
// quarter of the measurements.
[[nodiscard]] std::vector<Uid> measuring_order(const protocol::Secret& secret,
                                               const Hash& late_beacon,
                                               const std::vector<Measurable>& miners);

}  // namespace muster::verify
