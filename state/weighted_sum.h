// WeightedSum: payloads, each times its weight, added up block by block. Per element one fp32
// product and one fp32 addition for each payload that holds it, in the order of the payloads.
//
// Beyond one pass over the sum, time grows with the payloads' entries. Memory: what the payloads'
// bytes of a segment need to be decoded, a block at a time. Thread safety: one owner; several of
// them may read the same payloads.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "compression/payload.h"
#include "compression/segment_codec.h"

namespace muster::state {

class WeightedSum {
 public:
  // REQUIRES: all payloads of this layout and one format, whose `gaps` these are; a weight for
  // each. All of them outlive the sum.
  WeightedSum(const compression::Layout& layout, const compression::SegmentGaps& gaps,
              std::vector<const compression::Payload*> payloads, std::span<const float> weights);

  // Errors of both: those of compression::decode.
  [[nodiscard]] Status open(std::uint32_t segment);
  // Adds the segment's next block to `sum`. `ahead`: the block that will be summed next, or
  // nothing.
  [[nodiscard]] Status add_block(std::span<float> sum, std::span<const float> ahead);

 private:
  const compression::Layout& layout_;
  std::vector<const compression::Payload*> payloads_;
  std::span<const float> weights_;
  std::vector<compression::SegmentReader> readers_;  // of each payload
  std::unique_ptr<compression::BlockBuffers> buffers_;
};

}  // namespace muster::state
