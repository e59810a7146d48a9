#include "state/aggregate.h"

#include <algorithm>

#include "base/median.h"
#include "base/parallel.h"
#include "compression/segment_codec.h"
#include "state/weighted_sum.h"

namespace muster::state {
namespace {

std::vector<float> weights_of(std::span<const Contribution> contributions, double clip_norm) {
  std::uint64_t standings = 0;
  for (const Contribution& contribution : contributions) standings += contribution.standing;
  const bool equal = standings == 0;
  const double total =
      equal ? static_cast<double>(contributions.size()) : static_cast<double>(standings);
  std::vector<float> weights;
  for (const Contribution& contribution : contributions) {
    const double standing = equal ? 1.0 : static_cast<double>(contribution.standing);
    const double factor =
        contribution.norm > 0 ? std::min(1.0, clip_norm / contribution.norm) : 0.0;
    weights.push_back(static_cast<float>(standing * factor / total));
  }
  return weights;
}

// One segment: all contributions onto the residual, block by block, and what is left behind in it.
class SegmentSealer {
 public:
  SegmentSealer(const compression::Layout& layout, WeightedSum contributions,
                compression::PartWriter writer, float decay)
      : layout_(layout),
        contributions_(std::move(contributions)),
        writer_(std::move(writer)),
        decay_(decay) {}

  // Errors: those of the payloads.
  Result<Bytes> seal(std::uint32_t s, std::span<float> residual) {
    MUSTER_TRY_STATUS(contributions_.open(s));
    const compression::SegmentRange& segment = layout_.segment(s);
    for (std::uint32_t b = 0; b < segment.blocks; ++b) {
      const compression::Block& block = layout_.block(segment.first_block + b);
      const std::span<float> sum = residual.subspan(block.offset, block.elements);
      const std::span<const float> behind = residual.subspan(block.offset + block.elements);
      MUSTER_TRY_STATUS(contributions_.add_block(
          sum, behind.first(std::min<std::size_t>(behind.size(), compression::kBlockElements))));
      leave_behind(sum);
    }
    return writer_.finish();
  }

 private:
  void leave_behind(std::span<float> sum) {
    const auto kept = writer_.add_block(sum);
    MUSTER_CHECK(kept.has_value(), "a sum that is not finite");
    const auto [indices, values] = *kept;
    for (std::size_t i = 0; i < indices.size(); ++i) sum[indices[i]] -= values[i];
    if (decay_ != 1)
      for (float& value : sum) value *= decay_;
  }

  const compression::Layout& layout_;
  WeightedSum contributions_;
  compression::PartWriter writer_;
  float decay_;
};

}  // namespace

Result<ClippedWeights> clip_and_weigh(std::span<const Contribution> contributions,
                                      std::span<const double> past_medians) {
  MUSTER_CHECK(!contributions.empty(), "an aggregate of nothing");
  ClippedWeights clipped;
  std::vector<double> norms;
  std::vector<std::uint64_t> weights;
  for (const Contribution& contribution : contributions) {
    norms.push_back(contribution.norm);
    weights.push_back(contribution.weight);
  }
  clipped.median_norm = weighted_lower_median<double>(norms, weights);
  clipped.clip_norm = clipped.median_norm;
  if (!past_medians.empty()) {
    const double trailing = lower_median({past_medians.begin(), past_medians.end()});
    clipped.clip_norm = std::clamp(clipped.clip_norm, trailing / 2, 2 * trailing);
  }
  if (!(clipped.clip_norm <= kClipNormMax))
    return Error{Errc::kNonFinite, "payload norms of " + std::to_string(clipped.clip_norm)};
  clipped.weights = weights_of(contributions, clipped.clip_norm);
  return clipped;
}

Result<SealedAggregate> seal_aggregate(const compression::Layout& layout,
                                       std::span<const Contribution> contributions,
                                       std::span<const double> past_medians,
                                       const compression::PayloadFormat& downlink,
                                       float downlink_decay, std::span<float> downlink_residual,
                                       unsigned threads) {
  MUSTER_CHECK(!contributions.empty(), "an aggregate of nothing");
  MUSTER_CHECK(downlink_residual.size() == layout.parameters(), "a residual of another layout");
  const compression::PayloadFormat uplink = contributions.front().payload->format;
  for (const Contribution& contribution : contributions)
    MUSTER_CHECK(contribution.payload->format == uplink, "payloads of different formats");
  MUSTER_TRY_STATUS(compression::check_format(downlink));
  MUSTER_CHECK(!downlink.has_memory(), "an aggregate of two parts");
  SealedAggregate sealed;
  MUSTER_TRY(static_cast<ClippedWeights&>(sealed), clip_and_weigh(contributions, past_medians));
  const compression::SegmentGaps uplink_gaps(uplink);
  const compression::GapModel downlink_gaps(downlink.keep);
  sealed.aggregate = {downlink, std::vector<Bytes>(layout.segment_count())};
  std::vector<const compression::Payload*> payloads;
  for (const Contribution& contribution : contributions) payloads.push_back(contribution.payload);
  const Status summed = parallel_for(layout.segment_count(), threads, [&] {
    return [&, sealer = SegmentSealer(layout, {layout, uplink_gaps, payloads, sealed.weights},
                                      {downlink, downlink_gaps},
                                      downlink_decay)](std::size_t s) mutable -> Status {
      MUSTER_TRY(sealed.aggregate.segments[s],
                 sealer.seal(static_cast<std::uint32_t>(s), downlink_residual));
      return {};
    };
  });
  MUSTER_CHECK(summed.has_value(), summed ? "" : summed.error().message);
  return sealed;
}

}  // namespace muster::state
