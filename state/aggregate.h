// The aggregate: from a round's accepted payloads to the one compressed update that everyone
// applies.
//
// M = lower median of the norms by weight; c = M, but at least half and at most twice the lower
// median of M over the last rounds; weights aᵢ = fp32(standingᵢ · min(1, c / normᵢ) / Σ standing),
// equal standings when all are zero; then in fp32, by ascending uid, onto the downlink's error
// feedback; compressed; residual' = decay · (sum − decoded). One order of operations, no
// contraction: coordinator, validators and audit get the same bits. Thread safety: pure but for the
// residual it updates.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "compression/payload.h"

namespace muster::state {

struct Contribution {
  std::uint16_t standing = 0;
  const compression::Payload* payload = nullptr;
  double norm = 0;           // of compression::summarise(*payload)
  std::uint64_t weight = 1;  // in the median of the norms: protocol/weight.h
};

// No clip norm above this is sealed: sums stay far from overflow.
inline constexpr double kClipNormMax = 1e30;

// What follows from standings and norms alone.
struct ClippedWeights {
  double median_norm = 0;      // M
  double clip_norm = 0;        // c
  std::vector<float> weights;  // aᵢ, in the order of the contributions
};

struct SealedAggregate : ClippedWeights {
  compression::Payload aggregate;
};

// Does not look at the payloads. `contributions`: not empty. Errors: kNonFinite (norms above
// kClipNormMax).
[[nodiscard]] Result<ClippedWeights> clip_and_weigh(std::span<const Contribution> contributions,
                                                    std::span<const double> past_medians);

// One pass over the residual, block by block, in memory of a segment per thread; the result does
// not depend on `threads`. `contributions`: not empty, by ascending uid, of one format, each
// summarised without an error. `downlink`: a format of one part. `past_medians`: M of at most the
// last 16 sealed rounds. Errors: kNonFinite (norms above kClipNormMax), kInvalidArgument (format);
// the residual is as it was.
[[nodiscard]] Result<SealedAggregate> seal_aggregate(
    const compression::Layout& layout, std::span<const Contribution> contributions,
    std::span<const double> past_medians, const compression::PayloadFormat& downlink,
    float downlink_decay, std::span<float> downlink_residual, unsigned threads = 1);

}  // namespace muster::state
