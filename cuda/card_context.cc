#include "cuda/card_context.h"

#include <chrono>
#include <thread>

namespace muster::gpu {

Result<std::unique_ptr<CardContext>> CardContext::open(const CardInfo& info) {
  std::unique_ptr<CardContext> context(new CardContext(info));
  MUSTER_TRY_STATUS(context->enter());
  MUSTER_TRY_STATUS(
      checked(cudaStreamCreateWithFlags(&context->stream_, cudaStreamNonBlocking), "opening"));
  MUSTER_TRY_STATUS(checked(cudaEventCreate(&context->begin_), "opening"));
  MUSTER_TRY_STATUS(checked(cudaEventCreate(&context->end_), "opening"));
  return context;
}

CardContext::~CardContext() {
  if (end_ != nullptr) (void)cudaEventDestroy(end_);
  if (begin_ != nullptr) (void)cudaEventDestroy(begin_);
  if (stream_ != nullptr) (void)cudaStreamDestroy(stream_);
}

Status CardContext::finish() const {
  if (!watch_) return checked(cudaStreamSynchronize(stream_), "work");
  const auto begin = std::chrono::steady_clock::now();
  for (;;) {
    const cudaError_t state = cudaStreamQuery(stream_);
    if (state != cudaErrorNotReady) return checked(state, "work");
    const std::chrono::duration<double> waited = std::chrono::steady_clock::now() - begin;
    MUSTER_TRY_STATUS(watch_(waited.count()));
    std::this_thread::yield();
  }
}

Result<const BlockPlace*> CardContext::places(const compression::Layout& layout) {
  if (places_.size() > 0 && places_of_ == layout.hash()) return places_.data();
  std::vector<BlockPlace> places;
  places.reserve(layout.block_count());
  for (std::uint64_t b = 0; b < layout.block_count(); ++b)
    places.push_back({layout.block(b).offset, layout.block(b).elements});
  MUSTER_TRY(places_, upload(std::span<const BlockPlace>(places)));
  MUSTER_TRY_STATUS(finish());
  places_of_ = layout.hash();
  return places_.data();
}

}  // namespace muster::gpu
