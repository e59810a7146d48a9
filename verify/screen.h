// Screening (tiers 0 and 1): a verdict for every payload of a round, every round.
//
// Tier 0 needs no model: cosine to the last aggregate above max(replay_cosine, 1.5 × median), or
// below −replay_cosine, a replay or its opposite, which takes back a step that overshot and so
// passes tier 1. Tier 1 is one sparse dot product with a gradient over secret sequences that was
// computed before the payloads arrived: the cosine must exceed max(0, gate × median). The score is
// blind to the size of a payload's fresh part, the aggregate is not: its norm must lie within a
// factor of 2 of the round's median. (Of the round, not of earlier ones: norms grow fast while the
// learning rate rises.) Nobody is rejected for resembling another miner: whoever copies has no
// signal on the data that it was assigned, so it earns nothing (verify/score.h), and whoever is
// copied must not lose by it. The rules about replays and about norms never reject payloads that
// hold more than half of the weight: where most resemble the last aggregate, the model is small or
// the data is, and nothing is replayed. Medians are by weight. Thread safety: pure functions.
#pragma once

#include <map>
#include <vector>

#include "compression/payload.h"
#include "protocol/messages.h"
#include "protocol/params.h"

namespace muster::verify {

// Sparse cosine, fp64; 0 when either is zero.
[[nodiscard]] double cosine(const compression::SparseUpdate& a, const compression::SparseUpdate& b);

struct Candidate {
  Uid uid;
  const compression::SparseUpdate* payload = nullptr;
  double gradient_cosine = 0;  // with the screening gradient
  std::uint64_t weight = 1;    // in medians and majorities: protocol/weight.h
  double fresh_norm = 0;       // of the payload's fresh part
};

struct Screening {
  std::map<Uid, protocol::Verdict> verdicts;
  // Who resembles the last aggregate, where those hold more than half of the weight together: a
  // model too small for its density, or data that is all alike. Nobody is rejected for resemblance
  // then.
  std::vector<Uid> alike;
};

// `last_aggregate`: what was applied last; null in round 0.
[[nodiscard]] Screening screen(const protocol::VerificationParams& params,
                               const std::vector<Candidate>& candidates,
                               const compression::SparseUpdate* last_aggregate);

}  // namespace muster::verify
