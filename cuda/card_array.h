// CardArray: fp32 numbers in a card's memory. Only for the sources of libmuster_cuda.so.
//
// Thread safety: that of its card.
#pragma once

#include "base/check.h"
#include "cuda/card_context.h"

namespace muster::gpu {

class CardArray final : public FloatArray {
 public:
  // Zeros. Errors: kTooLarge, kIo.
  [[nodiscard]] static Result<std::unique_ptr<CardArray>> make(CardContext& card,
                                                               std::uint64_t count) {
    MUSTER_TRY_STATUS(card.enter());
    MUSTER_TRY(Memory<float> memory, card.allocate<float>(count));
    if (count > 0)
      MUSTER_TRY_STATUS(
          checked(cudaMemsetAsync(memory.data(), 0, count * sizeof(float), card.stream()),
                  "clearing memory"));
    MUSTER_TRY_STATUS(card.finish());
    return std::unique_ptr<CardArray>(new CardArray(card, std::move(memory)));
  }

  [[nodiscard]] std::uint64_t size() const override { return memory_.size(); }
  [[nodiscard]] float* device_data() override { return memory_.data(); }
  [[nodiscard]] const float* device_data() const { return memory_.data(); }
  [[nodiscard]] Status write(std::span<const float> from) override {
    MUSTER_CHECK(from.size() == size(), "an array of another size");
    MUSTER_TRY_STATUS(card_.enter());
    MUSTER_TRY_STATUS(memory_.write(from, card_.stream()));
    return card_.finish();
  }
  [[nodiscard]] Status read(std::span<float> to) const override {
    MUSTER_CHECK(to.size() == size(), "an array of another size");
    MUSTER_TRY_STATUS(card_.enter());
    MUSTER_TRY_STATUS(memory_.read(to, card_.stream()));
    return card_.finish();
  }

 private:
  CardArray(CardContext& card, Memory<float> memory) : card_(card), memory_(std::move(memory)) {}

  CardContext& card_;
  Memory<float> memory_;
};

}  // namespace muster::gpu
