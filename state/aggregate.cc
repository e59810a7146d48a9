#include "state/aggregate.h"

#include <algorithm>

#include "base/parallel.h"
#include "compression/segment_codec.h"

namespace muster::state {
namespace {

double lower_median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[(values.size() - 1) / 2];
}

std::vector<float> weights_of(std::span<const Contribution> contributions, double clip_norm) {
  std::uint64_t standings = 0;
  for (const Contribution& contribution : contributions) standings += contribution.standing;
  const bool equal = standings == 0;
  const double total = equal ? static_cast<double>(contributions.size())
                             : static_cast<double>(standings);
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
  SegmentSealer(const compression::Layout& layout, std::span<const Contribution> contributions,
                std::span<const float> weights, const compression::PayloadFormat& uplink,
                const compression::GapModel& uplink_gaps,
                const compression::PayloadFormat& downlink,
                const compression::GapModel& downlink_gaps, float decay)
      : layout_(layout),
        contributions_(contributions),
        weights_(weights),
        decay_(decay),
        reader_(uplink, uplink_gaps),
        writer_(downlink, downlink_gaps),
        inputs_(contributions.size()) {}

  // Appends what the segment's bytes decode to, to `decoded`.
  Bytes seal(std::uint32_t s, std::span<float> residual, compression::SparseUpdate& decoded) {
    for (std::size_t c = 0; c < contributions_.size(); ++c) {
      const auto& payload = *contributions_[c].payload;
      const Status read = reader_.read(layout_, s, payload.segments[s], inputs_[c]);
      MUSTER_CHECK(read.has_value(), read ? "" : read.error().message);
    }
    next_.assign(contributions_.size(), 0);
    const compression::SegmentRange& segment = layout_.segment(s);
    for (std::uint32_t b = 0; b < segment.blocks; ++b) {
      const compression::Block& block = layout_.block(segment.first_block + b);
      seal_block(b, block.offset, residual.subspan(block.offset, block.elements), decoded);
    }
    return writer_.finish();
  }

 private:
  void seal_block(std::uint32_t b, std::uint64_t offset, std::span<float> sum,
                  compression::SparseUpdate& decoded) {
    for (std::size_t c = 0; c < inputs_.size(); ++c) {
      const std::uint16_t* indices = inputs_[c].indices.data() + next_[c];
      const float* values = inputs_[c].values.data() + next_[c];
      const std::uint32_t count = inputs_[c].counts[b];
      const float weight = weights_[c];
      for (std::uint32_t i = 0; i < count; ++i) sum[indices[i]] += weight * values[i];
      next_[c] += count;
    }
    const auto kept = writer_.add_block(sum);
    MUSTER_CHECK(kept.has_value(), "a sum that is not finite");
    const auto [indices, values] = *kept;
    for (std::size_t i = 0; i < indices.size(); ++i) {
      sum[indices[i]] -= values[i];
      decoded.indices.push_back(offset + indices[i]);
    }
    decoded.values.insert(decoded.values.end(), values.begin(), values.end());
    if (decay_ != 1)
      for (float& value : sum) value *= decay_;
  }

  const compression::Layout& layout_;
  std::span<const Contribution> contributions_;
  std::span<const float> weights_;
  float decay_;
  compression::SegmentReader reader_;
  compression::SegmentWriter writer_;
  std::vector<compression::SegmentEntries> inputs_;
  std::vector<std::size_t> next_;  // entry of each input
};

compression::SparseUpdate joined(std::vector<compression::SparseUpdate> parts) {
  compression::SparseUpdate whole;
  for (auto& part : parts) {
    whole.indices.insert(whole.indices.end(), part.indices.begin(), part.indices.end());
    whole.values.insert(whole.values.end(), part.values.begin(), part.values.end());
    whole.segment_ends.push_back(whole.indices.size());
    part = {};
  }
  return whole;
}

}  // namespace

Result<SealedAggregate> seal_aggregate(const compression::Layout& layout,
                                       std::span<const Contribution> contributions,
                                       std::span<const double> past_medians,
                                       const compression::PayloadFormat& downlink,
                                       float downlink_decay,
                                       std::span<float> downlink_residual, unsigned threads) {
  MUSTER_CHECK(!contributions.empty(), "an aggregate of nothing");
  MUSTER_CHECK(downlink_residual.size() == layout.parameters(), "a residual of another layout");
  const compression::PayloadFormat uplink = contributions.front().payload->format;
  for (const Contribution& contribution : contributions)
    MUSTER_CHECK(contribution.payload->format == uplink, "payloads of different formats");
  MUSTER_TRY_STATUS(compression::check_format(downlink));
  SealedAggregate sealed;
  std::vector<double> norms;
  for (const Contribution& contribution : contributions) norms.push_back(contribution.norm);
  sealed.median_norm = lower_median(norms);
  sealed.clip_norm = sealed.median_norm;
  if (!past_medians.empty()) {
    const double trailing = lower_median({past_medians.begin(), past_medians.end()});
    sealed.clip_norm = std::max(sealed.clip_norm, trailing / 2);
  }
  if (!(sealed.clip_norm <= kClipNormMax))
    return Error{Errc::kNonFinite, "payload norms of " + std::to_string(sealed.clip_norm)};
  sealed.weights = weights_of(contributions, sealed.clip_norm);

  const compression::GapModel uplink_gaps(uplink.keep), downlink_gaps(downlink.keep);
  sealed.aggregate = {downlink, std::vector<Bytes>(layout.segment_count())};
  std::vector<compression::SparseUpdate> decoded(layout.segment_count());
  MUSTER_TRY_STATUS(parallel_for(layout.segment_count(), threads, [&] {
    return [&, sealer = SegmentSealer(layout, contributions, sealed.weights, uplink, uplink_gaps,
                                      downlink, downlink_gaps,
                                      downlink_decay)](std::size_t s) mutable -> Status {
      sealed.aggregate.segments[s] =
          sealer.seal(static_cast<std::uint32_t>(s), downlink_residual, decoded[s]);
      return {};
    };
  }));
  sealed.decoded = joined(std::move(decoded));
  return sealed;
}

}  // namespace muster::state
