// Tuning: which density a run's links allow, and what each density costs in loss.
//
// Thread safety: pure functions.
#pragma once

#include <cstdint>
#include <vector>

#include "protocol/params.h"

namespace muster::cli {

struct Links {
  double uplink = 0;  // bytes per second
  double downlink = 0;
  double round_s = 0;       // how long a round is to take
  double share_max = 0.05;  // of the round that transfers may take
};

struct TunedDensity {
  std::uint32_t keep = 0;
  double bytes_up = 0, bytes_down = 0;
  double seconds_up = 0, seconds_down = 0;
  double share = 0;         // of the round
  double sweeps = 0;        // rounds · keep / 4096: how often a parameter is sent
  double loss_penalty = 0;  // relative to sending everything; see loss_penalty()
  double value_error =
      0;  // of what is kept: Σ (value − decoded)² / Σ value², which error feedback evens out
};

// Densities 8, 16, … 4096. Bytes are measured by coding a segment of heavy-tailed numbers in the
// run's value formats. REQUIRES: links above 0; rounds above 0.
[[nodiscard]] std::vector<TunedDensity> tune(const protocol::ProtocolParams& params,
                                             const Links& links, std::uint32_t rounds);

// Of those that fit the share the least penalty, then the fewest bytes; without one that fits, the
// fewest bytes. REQUIRES: not empty.
[[nodiscard]] const TunedDensity& pick(const std::vector<TunedDensity>& densities,
                                       const Links& links);

// Expected relative excess of the final loss over dense exchange. Straight lines between what was
// measured: a byte-level Llama of 0.25 M parameters from random initial weights, 200 rounds of 10
// steps, 4 miners, one seed: loss 1.249 dense, 1.287 at 256 of 4096 (12.5 sweeps), 1.389 at 64 (3.1
// sweeps); nothing beyond a sweep a round. docs/payload.md has the table.
[[nodiscard]] double loss_penalty(double sweeps);

}  // namespace muster::cli
