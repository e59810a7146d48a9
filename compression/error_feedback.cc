#include "compression/error_feedback.h"

#include "base/parallel.h"
#include "compression/kernels.h"
#include "compression/segment_codec.h"

namespace muster::compression {
namespace {

// Turns blocks of Δ into blocks of e + Δ − decoded, and writes what is decoded.
class BlockCompressor {
 public:
  BlockCompressor(const PayloadFormat& format, const SegmentGaps& gaps) : writer_(format, gaps) {}

  // Error: kNonFinite.
  Status add_block(std::span<float> delta, const float* residual, float beta) {
    const auto add_residual = [&] {
      kernels().accumulate(delta.data(), residual, delta.size(), beta);
    };
    if (writer_.memory() == nullptr) add_residual();
    MUSTER_TRY(const KeptEntries fresh, writer_.fresh().add_block(delta));
    if (writer_.memory() != nullptr) add_residual();
    fresh_ = subtract(fresh, delta, fresh_originals_);
    if (writer_.memory() == nullptr) return {};
    MUSTER_TRY(const KeptEntries memory, writer_.memory()->add_block(delta));
    memory_ = subtract(memory, delta, memory_originals_);
    return {};
  }
  // Of the last block, until the next one.
  [[nodiscard]] const PartOriginals& fresh() const { return fresh_; }
  [[nodiscard]] const PartOriginals& memory() const { return memory_; }
  [[nodiscard]] Bytes finish() { return writer_.finish(); }

 private:
  static PartOriginals subtract(const KeptEntries& entries, std::span<float> from,
                                std::vector<float>& originals) {
    originals.clear();
    for (std::size_t i = 0; i < entries.indices.size(); ++i) {
      float& value = from[entries.indices[i]];
      originals.push_back(value);
      value -= entries.values[i];
    }
    return {entries.indices, originals};
  }

  SegmentWriter writer_;
  std::vector<float> fresh_originals_, memory_originals_;
  PartOriginals fresh_, memory_;
};

}  // namespace

void append_originals(std::uint64_t offset, const PartOriginals& fresh, const PartOriginals& memory,
                      std::vector<std::uint64_t>& indices, std::vector<float>& originals) {
  std::size_t f = 0, m = 0;
  while (f < fresh.indices.size() || m < memory.indices.size()) {
    const bool in_memory = m < memory.indices.size() &&
                           (f == fresh.indices.size() || memory.indices[m] <= fresh.indices[f]);
    const bool in_fresh = f < fresh.indices.size() &&
                          (m == memory.indices.size() || fresh.indices[f] <= memory.indices[m]);
    indices.push_back(offset + (in_fresh ? fresh.indices[f] : memory.indices[m]));
    originals.push_back(in_fresh ? fresh.values[f] : memory.values[m]);
    f += in_fresh ? 1 : 0;
    m += in_memory ? 1 : 0;
  }
}

Result<Payload> ErrorFeedback::compress(const Layout& layout, const PayloadFormat& format,
                                        unsigned threads) {
  MUSTER_TRY_STATUS(check_format(format));
  MUSTER_CHECK(residual_.size() == layout.parameters() && delta_.size() == residual_.size(),
               "an update of another layout");
  pending_ = false;
  Payload payload{format, std::vector<Bytes>(layout.segment_count())};
  kept_.assign(layout.segment_count(), {});
  const SegmentGaps gaps(format);
  const Status compressed = parallel_for(layout.segment_count(), threads, [&] {
    return [&, compressor = BlockCompressor(format, gaps)](std::size_t s) mutable -> Status {
      const SegmentRange& segment = layout.segment(static_cast<std::uint32_t>(s));
      for (std::uint32_t b = 0; b < segment.blocks; ++b) {
        const Block& block = layout.block(segment.first_block + b);
        Status added = compressor.add_block(delta_.subspan(block.offset, block.elements),
                                            residual_.data() + block.offset, owed_beta_);
        if (!added)
          return in_segment(std::move(added).error().within("block " + std::to_string(b)), s);
        append_originals(block.offset, compressor.fresh(), compressor.memory(), kept_[s].indices,
                         kept_[s].originals);
      }
      payload.segments[s] = compressor.finish();
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
    state.originals.insert(state.originals.end(), segment.originals.begin(),
                           segment.originals.end());
  }
  return state;
}

void ErrorFeedback::restore(State state) {
  owed_beta_ = 1;
  pending_ = state.pending;
  kept_ = {{std::move(state.indices), std::move(state.originals)}};
}

}  // namespace muster::compression
