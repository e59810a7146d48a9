#include "cuda/card_error_feedback.h"

#include <algorithm>

namespace muster::gpu {

using compression::PayloadFormat;
using compression::Selection;

Result<std::unique_ptr<ErrorFeedback>> CardErrorFeedback::make(CardContext& card,
                                                               const compression::Layout& layout) {
  MUSTER_TRY(auto residual, CardArray::make(card, layout.parameters()));
  MUSTER_TRY(auto delta, CardArray::make(card, layout.parameters()));
  std::unique_ptr<CardErrorFeedback> feedback(
      new CardErrorFeedback(card, std::move(residual), std::move(delta), layout));
  std::vector<BlockPlace> places;
  places.reserve(layout.block_count());
  for (std::uint64_t b = 0; b < layout.block_count(); ++b)
    places.push_back({layout.block(b).offset, layout.block(b).elements});
  MUSTER_TRY(feedback->places_, card.upload(std::span<const BlockPlace>(places)));
  MUSTER_TRY_STATUS(card.finish());
  return std::unique_ptr<ErrorFeedback>(std::move(feedback));
}

Status CardErrorFeedback::make_room(const PayloadFormat& format) {
  if (format == format_) return {};
  format_.keep = 0;  // until there is room
  const std::uint64_t blocks = places_.size();
  counts_ = {};
  levels_ = {};
  entries_ = {};
  originals_ = {};
  MUSTER_TRY(counts_, card_.allocate<std::uint16_t>(blocks));
  MUSTER_TRY(levels_, card_.allocate<std::uint16_t>(blocks << compression::level_bits(format.values)));
  MUSTER_TRY(entries_, card_.allocate<std::uint16_t>(blocks * format.keep));
  MUSTER_TRY(originals_, card_.allocate<float>(blocks * format.keep));
  host_counts_ = {};
  host_levels_ = {};
  host_entries_ = {};
  MUSTER_TRY(host_counts_, PinnedMemory<std::uint16_t>::make(counts_.size()));
  MUSTER_TRY(host_levels_, PinnedMemory<std::uint16_t>::make(levels_.size()));
  MUSTER_TRY(host_entries_, PinnedMemory<std::uint16_t>::make(entries_.size()));
  // So that a block that holds less leaves nothing to chance.
  MUSTER_TRY_STATUS(checked(cudaMemsetAsync(entries_.data(), 0, entries_.size() * sizeof(std::uint16_t),
                                            card_.stream()),
                            "clearing memory"));
  format_ = format;
  return {};
}

CompressTask CardErrorFeedback::task() {
  CompressTask task;
  task.blocks = places_.data();
  task.delta = delta_->device_data();
  task.residual = residual_->device_data();
  task.decay = owed_beta_;
  task.keep = format_.keep;
  task.counts = counts_.data();
  task.levels = levels_.data();
  task.entries = entries_.data();
  task.originals = originals_.data();
  return task;
}

Result<Selection> CardErrorFeedback::select(const PayloadFormat& format) {
  MUSTER_TRY_STATUS(check_format(format));
  if (!has_levels(format.values))
    return Error{Errc::kInvalidArgument, "a card compresses to sign, levels2, levels4 and levels8, not to " +
                                             std::string(name_of(format.values))};
  MUSTER_TRY_STATUS(card_.enter());
  pending_ = is_restored_ = false;
  MUSTER_TRY_STATUS(make_room(format));
  MUSTER_TRY_STATUS(card_.run([&](cudaStream_t stream) {
    launch_compress(task(), places_.size(), compression::level_bits(format.values), stream);
  }));
  MUSTER_TRY_STATUS(counts_.read(host_counts_.values(), card_.stream()));
  MUSTER_TRY_STATUS(levels_.read(host_levels_.values(), card_.stream()));
  MUSTER_TRY_STATUS(entries_.read(host_entries_.values(), card_.stream()));
  MUSTER_TRY_STATUS(card_.finish());
  const auto counts = host_counts_.values();
  pending_ = std::find(counts.begin(), counts.end(), compression::kNotFiniteBlock) == counts.end();
  return Selection{format, counts, host_levels_.values(), host_entries_.values()};
}

void CardErrorFeedback::take_turns(float beta) {
  std::swap(residual_, delta_);
  owed_beta_ = beta;
  pending_ = is_restored_ = false;
}

Status CardErrorFeedback::settle_delivered(float beta) {
  MUSTER_CHECK(pending_, "settled without a payload");
  take_turns(beta);
  return {};
}

Status CardErrorFeedback::settle_kept(float beta) {
  MUSTER_CHECK(pending_, "settled without a payload");
  MUSTER_TRY_STATUS(card_.enter());
  MUSTER_TRY_STATUS(card_.run([&](cudaStream_t stream) {
    if (!is_restored_) return launch_restore(task(), places_.size(), stream);
    launch_swap({delta_->device_data(), restored_indices_.data(), restored_indices_.size()},
                restored_originals_.data(), stream);
  }));
  take_turns(beta);
  return {};
}

Status CardErrorFeedback::settle_missed(float beta) {
  MUSTER_TRY_STATUS(pay_beta());
  owed_beta_ = beta;
  pending_ = is_restored_ = false;
  return {};
}

// One rounding per round, however long a miner was away.
Status CardErrorFeedback::pay_beta() {
  if (owed_beta_ == 1) return {};
  MUSTER_TRY_STATUS(card_.enter());
  MUSTER_TRY_STATUS(card_.run([&](cudaStream_t stream) {
    launch_scale(residual_->device_data(), residual_->size(), owed_beta_, stream);
  }));
  owed_beta_ = 1;
  return {};
}

Result<FloatArray*> CardErrorFeedback::residual() {
  MUSTER_TRY_STATUS(pay_beta());
  return static_cast<FloatArray*>(residual_.get());
}

Result<compression::ErrorFeedback::State> CardErrorFeedback::state() const {
  compression::ErrorFeedback::State state;
  state.pending = pending_;
  if (!pending_) return Result<compression::ErrorFeedback::State>(std::move(state));
  MUSTER_TRY_STATUS(card_.enter());
  if (is_restored_) {
    state.indices.resize(restored_indices_.size());
    state.originals.resize(restored_originals_.size());
    MUSTER_TRY_STATUS(restored_indices_.read(state.indices, card_.stream()));
    MUSTER_TRY_STATUS(restored_originals_.read(state.originals, card_.stream()));
    MUSTER_TRY_STATUS(card_.finish());
    return Result<compression::ErrorFeedback::State>(std::move(state));
  }
  std::vector<float> originals(originals_.size());
  MUSTER_TRY_STATUS(originals_.read(originals, card_.stream()));
  MUSTER_TRY_STATUS(card_.finish());
  const auto counts = host_counts_.values(), entries = host_entries_.values();
  for (std::uint64_t b = 0; b < counts.size(); ++b) {
    for (std::uint64_t i = b * format_.keep, n = 0; n < counts[b]; ++i, ++n) {
      state.indices.push_back(layout_.block(b).offset + compression::index_of(entries[i]));
      state.originals.push_back(originals[i]);
    }
  }
  return Result<compression::ErrorFeedback::State>(std::move(state));
}

Status CardErrorFeedback::restore(const compression::ErrorFeedback::State& state) {
  MUSTER_TRY_STATUS(card_.enter());
  MUSTER_TRY(restored_indices_, card_.upload(std::span<const std::uint64_t>(state.indices)));
  MUSTER_TRY(restored_originals_, card_.upload(std::span<const float>(state.originals)));
  pending_ = is_restored_ = state.pending;
  owed_beta_ = 1;
  return {};
}

}  // namespace muster::gpu
