// Scoring (tier 2): did this payload come from training on the data that its miner was assigned, on
// all of it, with all of the model?
//
// Products of the payload's fresh part F with gradients at θ, taken over small secret windows of a
// sequence's positions and tensor group by tensor group: d = ⟨F, g⟩ over a group's coordinates.
// What everybody's update explains is taken out: x = d − κ·c, c the same product of the aggregate
// without this payload's share, κ by least squares with intercept over the shared random sequences.
// A score compares x of the miner's own sequences with x of the shared ones by ranks,
//     u = (rank + ½) / (m + 1),   S = mean ln(u + 0.1) − ∫₀¹ ln(u + 0.1) du,
// 0 for who did not train on its own and at most 0.76; concave, so that a few strong sequences do
// not stand for many. There is a score for each quarter of the positions, for each tensor group,
// and for everything: what was left out shows in the part where it was left out. F follows from the
// round's training alone, so no score depends on what a miner does with its error feedback. Beside
// it the loss drop of the whole payload, which says whether it is of use. Thread safety: pure
// functions but for the probe, which they use alone.
#pragma once

#include <array>
#include <atomic>
#include <memory>
#include <span>
#include <vector>

#include "base/hash.h"
#include "compression/payload.h"
#include "protocol/loss_probe.h"
#include "protocol/messages.h"

namespace muster::verify {

// S of `own` against `reference`, ties by mid-ranks; 0 when either is empty or all of the reference
// is the same number.
[[nodiscard]] double rank_score(std::span<const double> own, std::span<const double> reference);

// The two windows of a sequence: an eighth of the context each, at uniform places of the first and
// the second half of the positions, from a seed that nobody knows before the commits. REQUIRES:
// context ≥ 2.
[[nodiscard]] std::array<protocol::Window, 2> windows_of(const Hash& seed, std::uint64_t sequence,
                                                         std::uint32_t context);

// Of one payload: x's ingredients, in windows that come in pairs, one pair a sequence.
struct WindowProducts {
  std::size_t groups = 1;
  std::vector<protocol::Window> windows;
  std::vector<double> fresh, control;  // of each window, each group
};

struct ScoreParts {
  double all = 0;
  std::array<double, 4>
      quarters{};  // a quarter in which no window of the miner's lies has what `all` has
  std::vector<double> groups;
};
// REQUIRES: equal `groups`. `context`: of the model.
[[nodiscard]] ScoreParts score_parts(const WindowProducts& own, const WindowProducts& shared,
                                     std::uint32_t context);

struct ScoreItem {
  Uid uid;
  std::shared_ptr<const compression::DecodedPayload> payload;
  std::vector<std::uint64_t> own_sequences;
  float weight = 0;  // of the payload in the aggregate; 0: it is not in it
};

struct ScoreTask {
  Round round;              // that was sealed last; the probe's kPrevious is its θ
  float probe_step = 0.4f;  // α: probe_step · outer learning rate
  std::vector<std::uint64_t> shared_sequences;
  std::vector<ScoreItem> items;  // scored in this order until told to stop
  std::uint32_t context = 0;     // of the model
  Hash window_seed;
  std::shared_ptr<const compression::SparseUpdate> aggregate;  // of the round
};

struct Measurement {
  Uid uid;
  ScoreParts score;
  double relative_drop = 0;  // of the whole payload: mean drop / mean loss, on the shared sequences
  double drop_error = 0;     // its standard error over these sequences
};

// Scores items until done or `stop`. Errors: those of the probe.
[[nodiscard]] Result<std::vector<Measurement>> score(protocol::LossProbe& probe,
                                                     const ScoreTask& task,
                                                     const std::atomic<bool>& stop);

}  // namespace muster::verify
