// CardErrorFeedback: error feedback in a card's memory. Only for the sources of libmuster_cuda.so.
//
// As in compression::ErrorFeedback two arrays take turns and the multiplication by β waits for the
// next pass. Thread safety: that of its card.
#pragma once

#include "cuda/card_array.h"
#include "cuda/launch.h"

namespace muster::gpu {

class CardErrorFeedback final : public ErrorFeedback {
 public:
  // Errors: kTooLarge, kIo.
  [[nodiscard]] static Result<std::unique_ptr<ErrorFeedback>> make(
      CardContext& card, const compression::Layout& layout, unsigned threads);

  [[nodiscard]] FloatArray& delta() override { return *delta_; }
  [[nodiscard]] Result<FloatArray*> residual() override;
  [[nodiscard]] Result<compression::Selection> select(
      const compression::PayloadFormat& format) override;
  [[nodiscard]] Status settle_delivered(float beta) override;
  [[nodiscard]] Status settle_kept(float beta) override;
  [[nodiscard]] Status settle_missed(float beta) override;
  [[nodiscard]] bool is_pending() const override { return pending_; }
  [[nodiscard]] Result<compression::ErrorFeedback::State> state() const override;
  [[nodiscard]] Status restore(const compression::ErrorFeedback::State& state) override;

 private:
  CardErrorFeedback(CardContext& card, std::unique_ptr<CardArray> residual,
                    std::unique_ptr<CardArray> delta, const compression::Layout& layout,
                    unsigned threads)
      : ErrorFeedback(layout, threads),
        card_(card),
        residual_(std::move(residual)),
        delta_(std::move(delta)) {}

  // Room for a part's selection, on the card and on the host.
  struct PartRoom {
    std::uint32_t keep = 0;  // of a full block; 0: there is no such part
    Memory<std::uint16_t> counts, levels, entries;
    Memory<float> originals;
    PinnedMemory<std::uint16_t> host_counts, host_levels, host_entries;

    [[nodiscard]] PartTask task() const;
    // Starts to copy the selection to the host. Error: kIo.
    Status fetch(cudaStream_t stream);
    // What was fetched.
    [[nodiscard]] compression::SelectedPart selected() const;
    [[nodiscard]] bool is_finite() const;
  };
  Result<PartRoom> room_for(const compression::PayloadFormat& part);
  Status make_room(const compression::PayloadFormat& format);
  [[nodiscard]] CompressTask task();
  void take_turns(float beta);
  Status pay_beta();

  CardContext& card_;
  std::unique_ptr<CardArray> residual_, delta_;
  Memory<BlockPlace> places_;
  float owed_beta_ = 1;  // e is this times the array
  bool pending_ = false;
  // Of a pending payload that restore() brought back: where its entries lie, and e + Δ there.
  bool is_restored_ = false;
  Memory<std::uint64_t> restored_indices_;
  Memory<float> restored_originals_;
  // Of the last selection.
  compression::PayloadFormat format_{0, compression::ValueFormat::kSign};
  PartRoom fresh_, memory_;
};

}  // namespace muster::gpu
