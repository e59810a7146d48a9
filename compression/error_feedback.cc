#include "compression/error_feedback.h"

#include "base/parallel.h"
#include "compression/segment_codec.h"
#include "compression/kernels.h"

namespace muster::compression {
namespace {

// What one segment keeps: positions in the flat array, and e + Δ there.
struct Kept {
  std::vector<std::uint64_t> indices;
  std::vector<float> originals;
};

}  // namespace

Result<Payload> ErrorFeedback::compress(const Layout& layout, const PayloadFormat& format,
                                        unsigned threads) {
  MUSTER_TRY_STATUS(check_format(format));
  MUSTER_CHECK(residual_.size() == layout.parameters() && delta_.size() == residual_.size(),
               "an update of another layout");
  pending_ = false;
  Payload payload{format, std::vector<Bytes>(layout.segment_count())};
  std::vector<Kept> kept(layout.segment_count());
  const GapModel gaps(format.keep);
  MUSTER_TRY_STATUS(parallel_for(layout.segment_count(), threads, [&] {
    return [&, writer = SegmentWriter(format, gaps)](std::size_t s) mutable -> Status {
      const SegmentRange& segment = layout.segment(static_cast<std::uint32_t>(s));
      for (std::uint32_t b = 0; b < segment.blocks; ++b) {
        const Block& block = layout.block(segment.first_block + b);
        const auto sum = delta_.subspan(block.offset, block.elements);
        kernels().accumulate(sum.data(), residual_.data() + block.offset, sum.size(), owed_beta_);
        auto entries = writer.add_block(sum);
        if (!entries)
          return in_segment(std::move(entries).error().within("block " + std::to_string(b)), s);
        const auto [indices, values] = *entries;
        for (std::size_t i = 0; i < indices.size(); ++i) {
          kept[s].indices.push_back(block.offset + indices[i]);
          kept[s].originals.push_back(sum[indices[i]]);
          sum[indices[i]] -= values[i];
        }
      }
      payload.segments[s] = writer.finish();
      return {};
    };
  }));
  pending_ = true;
  indices_.clear();
  originals_.clear();
  for (const Kept& segment : kept) {
    indices_.insert(indices_.end(), segment.indices.begin(), segment.indices.end());
    originals_.insert(originals_.end(), segment.originals.begin(), segment.originals.end());
  }
  return payload;
}

void ErrorFeedback::take_turns(float beta) {
  std::swap(residual_, delta_);
  owed_beta_ = beta;
  pending_ = false;
}

void ErrorFeedback::settle_delivered(float beta) {
  MUSTER_CHECK(pending_, "settled without a payload");
  take_turns(beta);
}

void ErrorFeedback::settle_kept(float beta) {
  MUSTER_CHECK(pending_, "settled without a payload");
  for (std::size_t i = 0; i < indices_.size(); ++i) delta_[indices_[i]] = originals_[i];
  take_turns(beta);
}

void ErrorFeedback::settle_missed(float beta) {
  pay_beta();
  owed_beta_ = beta;
  pending_ = false;
}

// One rounding per round, however long a miner was away.
void ErrorFeedback::pay_beta() {
  if (owed_beta_ == 1) return;
  for (float& value : residual_) value *= owed_beta_;
  owed_beta_ = 1;
}

std::span<const float> ErrorFeedback::residual() {
  pay_beta();
  return residual_;
}

void ErrorFeedback::restore(State state) {
  owed_beta_ = 1;
  pending_ = state.pending;
  indices_ = std::move(state.indices);
  originals_ = std::move(state.originals);
}

}  // namespace muster::compression
