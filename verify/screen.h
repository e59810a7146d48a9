// Screening (tiers 0 and 1): a verdict for every payload of a round, every round.
//
// Tier 0 needs no model: cosine to the last aggregate above max(replay_cosine, 1.5 × median), or below
// −replay_cosine, a replay or its opposite, which takes back a step that overshot and so passes tier 1; and
// index overlap beyond chance with other payloads, a copy. Tier 1 is one sparse dot product with a gradient over secret sequences that was
// computed before the payloads arrived: the cosine must exceed max(0, gate × median).
// A rule about resemblance (replays, copies) never rejects payloads that hold more than half of the standing: where most
// resemble each other, the model is small or the data is, and nothing is copied.
// Thread safety: pure functions.
#pragma once

#include <map>
#include <memory>
#include <vector>

#include "compression/payload.h"
#include "protocol/messages.h"
#include "protocol/params.h"

namespace muster::verify {

// Sparse cosine, fp64; 0 when either is zero.
[[nodiscard]] double cosine(const compression::SparseUpdate& a, const compression::SparseUpdate& b);

// Share of a's indices that b has too, less what chance gives at density keep/4096:
// (overlap − k/4096) / (1 − k/4096); 0 for dense payloads.
[[nodiscard]] double overlap_beyond_chance(const compression::SparseUpdate& a,
                                           const compression::SparseUpdate& b, std::uint32_t keep);

struct Candidate {
  Uid uid;
  const compression::SparseUpdate* payload = nullptr;
  double gradient_cosine = 0;  // with the screening gradient
  std::uint16_t standing = 0;  // in the aggregate, 0..65535
};

struct Screening {
  std::map<Uid, protocol::Verdict> verdicts;
  // Who resembles others or the past, where those hold more than half of the standing together: a model too small for
  // its density, or data that is all alike. Nobody is rejected for resemblance then.
  std::vector<Uid> alike;
};

// `previous`: payloads of the round before, `last_aggregate`: what was applied last; null in round 0.
[[nodiscard]] Screening screen(
    const protocol::VerificationParams& params, std::uint32_t keep,
    const std::vector<Candidate>& candidates,
    const std::vector<std::shared_ptr<const compression::SparseUpdate>>& previous,
    const compression::SparseUpdate* last_aggregate);

}  // namespace muster::verify
