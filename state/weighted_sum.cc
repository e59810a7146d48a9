#include "state/weighted_sum.h"

#include "base/prefetch.h"

namespace muster::state {

WeightedSum::WeightedSum(const compression::Layout& layout, const compression::SegmentGaps& gaps,
                         std::vector<const compression::Payload*> payloads,
                         std::span<const float> weights)
    : layout_(layout),
      payloads_(std::move(payloads)),
      weights_(weights),
      buffers_(std::make_unique<compression::BlockBuffers>()) {
  MUSTER_CHECK(weights_.size() == payloads_.size(), "a weight for each payload");
  for (const auto* payload : payloads_) readers_.emplace_back(payload->format, gaps);
}

Status WeightedSum::open(std::uint32_t segment) {
  for (std::size_t p = 0; p < payloads_.size(); ++p)
    MUSTER_TRY_STATUS(readers_[p].open(layout_, segment, payloads_[p]->segments[segment]));
  return {};
}

Status WeightedSum::add_block(std::span<float> sum, std::span<const float> ahead) {
  for (std::size_t p = 0; p < readers_.size(); ++p) {
    // Entries lie at random places of a block; without this each of them would wait for the memory.
    const std::size_t share = ahead.size() / readers_.size();
    prefetch<float>(ahead.subspan(p * share, share));
    MUSTER_TRY(const compression::BlockEntries entries, readers_[p].next(*buffers_));
    const float weight = weights_[p];
    for (std::size_t i = 0; i < entries.indices.size(); ++i)
      sum[entries.indices[i]] += weight * entries.values[i];
  }
  return {};
}

}  // namespace muster::state
