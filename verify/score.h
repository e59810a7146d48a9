// Scoring (tier 2): did this payload come from training on the data that its miner was assigned?
//
// Per sequence s, drop(s) = loss at θ − loss at θ − α·F, F the payload's fresh part, and control(s) = loss at θ − loss at
// θ' (after the round's aggregate). F follows from the round's training alone, so the score does not depend on what a
// miner does with its error feedback. x(s) = drop(s) − κ·control(s), κ the least-squares factor through 0 on
// the shared random sequences: what everybody's update explains is taken out. z is the Wilcoxon rank-sum
// of x on the miner's own sequences against x on the shared ones, N(0,1) for who did not train on its own.
// (Wilcoxon, "Individual comparisons by ranking methods", 1945; ties by mid-ranks with the tie-corrected
// variance of Lehmann, "Nonparametrics", 1975.)
// Thread safety: pure functions but for the probe, which they use alone.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <span>
#include <vector>

#include "compression/payload.h"
#include "protocol/loss_probe.h"
#include "protocol/messages.h"

namespace muster::verify {

// Normal approximation of the rank-sum of `own` against `random`; 0 when either is empty or all tie.
[[nodiscard]] double rank_sum_z(std::span<const double> own, std::span<const double> random);

// The statistic above from drops and controls. REQUIRES: equal lengths pairwise.
[[nodiscard]] double own_versus_random_z(std::span<const double> own_drops,
                                         std::span<const double> own_controls,
                                         std::span<const double> shared_drops,
                                         std::span<const double> shared_controls);

struct ScoreItem {
  Uid uid;
  std::shared_ptr<const compression::DecodedPayload> payload;
  std::vector<std::uint64_t> own_sequences;
};

struct ScoreTask {
  Round round;                 // that was sealed last; the probe's kPrevious is its θ
  float probe_step = 0.4f;     // α: probe_step · outer learning rate
  std::vector<std::uint64_t> shared_sequences;
  std::vector<ScoreItem> items;  // scored in this order until told to stop
};

struct Measurement {
  Uid uid;
  double z = 0;
  double relative_drop = 0;  // of the whole payload: mean drop / mean loss, on the shared sequences
  double drop_error = 0;     // its standard error over these sequences
};

// Scores items until done or `stop`. Errors: those of the probe.
[[nodiscard]] Result<std::vector<Measurement>> score(protocol::LossProbe& probe,
                                                     const ScoreTask& task,
                                                     const std::atomic<bool>& stop);

}  // namespace muster::verify
