#include "compression/error_feedback.h"

#include "base/parallel.h"
#include "compression/segment_codec.h"
#include "compression/kernels.h"

namespace muster::compression {
Result<Payload> ErrorFeedback::compress(const Layout& layout, const PayloadFormat& format,
                                        unsigned threads) {
  MUSTER_TRY_STATUS(check_format(format));
  MUSTER_CHECK(residual_.size() == layout.parameters() && delta_.size() == residual_.size(),
               "an update of another layout");
  pending_ = false;
  Payload payload{format, std::vector<Bytes>(layout.segment_count())};
  kept_.assign(layout.segment_count(), {});
  const GapModel gaps(format.keep);
  const Status compressed = parallel_for(layout.segment_count(), threads, [&] {
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
          kept_[s].indices.push_back(block.offset + indices[i]);
          kept_[s].originals.push_back(sum[indices[i]]);
          sum[indices[i]] -= values[i];
        }
      }
      payload.segments[s] = writer.finish();
      return {};
    };
  });
  if (!compressed) {
    kept_.clear();
    return compressed.error();
  }
  pending_ = true;
  return payload;
}

void ErrorFeedback::take_turns(float beta) {
  std::swap(residual_, delta_);
  owed_beta_ = beta;
  pending_ = false;
  kept_.clear();
}

void ErrorFeedback::settle_delivered(float beta) {
  MUSTER_CHECK(pending_, "settled without a payload");
  take_turns(beta);
}

void ErrorFeedback::settle_kept(float beta) {
  MUSTER_CHECK(pending_, "settled without a payload");
  for (const Kept& segment : kept_)
    for (std::size_t i = 0; i < segment.indices.size(); ++i)
      delta_[segment.indices[i]] = segment.originals[i];
  take_turns(beta);
}

void ErrorFeedback::settle_missed(float beta) {
  pay_beta();
  owed_beta_ = beta;
  pending_ = false;
  kept_.clear();
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

ErrorFeedback::State ErrorFeedback::state() const {
  State state{pending_, {}, {}};
  for (const Kept& segment : kept_) {
    state.indices.insert(state.indices.end(), segment.indices.begin(), segment.indices.end());
    state.originals.insert(state.originals.end(), segment.originals.begin(), segment.originals.end());
  }
  return state;
}

void ErrorFeedback::restore(State state) {
  owed_beta_ = 1;
  pending_ = state.pending;
  kept_ = {{std::move(state.indices), std::move(state.originals)}};
}

}  // namespace muster::compression
