#include "cuda/card_error_feedback.h"

#include <algorithm>

namespace muster::gpu {

using compression::PayloadFormat;
using compression::Selection;

Result<std::unique_ptr<ErrorFeedback>> CardErrorFeedback::make(CardContext& card,
                                                               const compression::Layout& layout,
                                                               unsigned threads) {
  MUSTER_TRY(auto residual, CardArray::make(card, layout.parameters()));
  MUSTER_TRY(auto delta, CardArray::make(card, layout.parameters()));
  std::unique_ptr<CardErrorFeedback> feedback(
      new CardErrorFeedback(card, std::move(residual), std::move(delta), layout, threads));
  std::vector<BlockPlace> places;
  places.reserve(layout.block_count());
  for (std::uint64_t b = 0; b < layout.block_count(); ++b)
    places.push_back({layout.block(b).offset, layout.block(b).elements});
  MUSTER_TRY(feedback->places_, card.upload(std::span<const BlockPlace>(places)));
  MUSTER_TRY_STATUS(card.finish());
  return std::unique_ptr<ErrorFeedback>(std::move(feedback));
}

PartTask CardErrorFeedback::PartRoom::task() const {
  return {keep, counts.data(), levels.data(), entries.data(), originals.data()};
}

Status CardErrorFeedback::PartRoom::fetch(cudaStream_t stream) {
  MUSTER_TRY_STATUS(counts.read(host_counts.values(), stream));
  MUSTER_TRY_STATUS(levels.read(host_levels.values(), stream));
  return entries.read(host_entries.values(), stream);
}

compression::SelectedPart CardErrorFeedback::PartRoom::selected() const {
  return {host_counts.values(), host_levels.values(), host_entries.values()};
}

bool CardErrorFeedback::PartRoom::is_finite() const {
  return std::ranges::find(host_counts.values(), compression::kNotFiniteBlock) ==
         host_counts.values().end();
}

Result<CardErrorFeedback::PartRoom> CardErrorFeedback::room_for(const PayloadFormat& part) {
  const std::uint64_t blocks = places_.size();
  PartRoom room;
  room.keep = part.keep;
  MUSTER_TRY(room.counts, card_.allocate<std::uint16_t>(blocks));
  MUSTER_TRY(room.levels,
             card_.allocate<std::uint16_t>(blocks << compression::level_bits(part.values)));
  MUSTER_TRY(room.entries, card_.allocate<std::uint16_t>(blocks * part.keep));
  MUSTER_TRY(room.originals, card_.allocate<float>(blocks * part.keep));
  MUSTER_TRY(room.host_counts, PinnedMemory<std::uint16_t>::make(room.counts.size()));
  MUSTER_TRY(room.host_levels, PinnedMemory<std::uint16_t>::make(room.levels.size()));
  MUSTER_TRY(room.host_entries, PinnedMemory<std::uint16_t>::make(room.entries.size()));
  // So that a block that holds less, or is not reached behind one that is not finite, leaves
  // nothing to chance.
  const auto clear = [&](const Memory<std::uint16_t>& memory) {
    return checked(
        cudaMemsetAsync(memory.data(), 0, memory.size() * sizeof(std::uint16_t), card_.stream()),
        "clearing memory");
  };
  MUSTER_TRY_STATUS(clear(room.counts));
  MUSTER_TRY_STATUS(clear(room.levels));
  MUSTER_TRY_STATUS(clear(room.entries));
  return Result<PartRoom>(std::move(room));
}

Status CardErrorFeedback::make_room(const PayloadFormat& format) {
  if (format == format_) return {};
  format_.keep = 0;  // until there is room
  fresh_ = {};
  memory_ = {};
  MUSTER_TRY(fresh_, room_for(format.fresh_part()));
  if (format.has_memory()) {
    MUSTER_TRY(memory_, room_for(format.memory_part()));
  }
  format_ = format;
  return {};
}

CompressTask CardErrorFeedback::task() {
  CompressTask task;
  task.blocks = places_.data();
  task.delta = delta_->device_data();
  task.residual = residual_->device_data();
  task.decay = owed_beta_;
  task.fresh = fresh_.task();
  task.memory = memory_.task();
  return task;
}

Result<Selection> CardErrorFeedback::select(const PayloadFormat& format) {
  MUSTER_TRY_STATUS(check_format(format));
  if (!has_levels(format.values))
    return Error{Errc::kInvalidArgument,
                 "a card compresses to sign, levels2, levels4 and levels8, not to " +
                     std::string(name_of(format.values))};
  MUSTER_TRY_STATUS(card_.enter());
  pending_ = is_restored_ = false;
  MUSTER_TRY_STATUS(make_room(format));
  MUSTER_TRY_STATUS(card_.run([&](cudaStream_t stream) {
    launch_compress(task(), places_.size(), compression::level_bits(format.values), stream);
  }));
  MUSTER_TRY_STATUS(fresh_.fetch(card_.stream()));
  MUSTER_TRY_STATUS(memory_.fetch(card_.stream()));
  MUSTER_TRY_STATUS(card_.finish());
  pending_ = fresh_.is_finite() && memory_.is_finite();
  return Selection{format, fresh_.selected(), memory_.selected()};
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
  std::vector<float> of_fresh(fresh_.originals.size()), of_memory(memory_.originals.size());
  MUSTER_TRY_STATUS(fresh_.originals.read(of_fresh, card_.stream()));
  MUSTER_TRY_STATUS(memory_.originals.read(of_memory, card_.stream()));
  MUSTER_TRY_STATUS(card_.finish());
  compression::append_originals(layout(), Selection{format_, fresh_.selected(), memory_.selected()},
                                of_fresh, of_memory, state.indices, state.originals);
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
