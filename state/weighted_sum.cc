#include "state/weighted_sum.h"

namespace muster::state {
namespace {

// Entries lie at random places of a block; without this each of them would wait for the memory.
void prefetch(std::span<const float> values) {
  constexpr std::size_t kLine = 64 / sizeof(float);
  for (std::size_t i = 0; i < values.size(); i += kLine) __builtin_prefetch(&values[i], 1);
}

}  // namespace

WeightedSum::WeightedSum(const compression::Layout& layout, const compression::GapModel& gaps,
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
    const std::size_t share = ahead.size() / readers_.size();
    prefetch(ahead.subspan(p * share, share));
    MUSTER_TRY(const compression::BlockEntries entries, readers_[p].next(*buffers_));
    const float weight = weights_[p];
    for (std::size_t i = 0; i < entries.indices.size(); ++i)
      sum[entries.indices[i]] += weight * entries.values[i];
  }
  return {};
}

}  // namespace muster::state
