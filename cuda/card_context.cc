#include "cuda/card_context.h"

namespace muster::gpu {

Result<std::unique_ptr<CardContext>> CardContext::open(const CardInfo& info) {
  std::unique_ptr<CardContext> context(new CardContext(info));
  MUSTER_TRY_STATUS(context->enter());
  MUSTER_TRY_STATUS(checked(cudaStreamCreateWithFlags(&context->stream_, cudaStreamNonBlocking), "opening"));
  MUSTER_TRY_STATUS(checked(cudaEventCreate(&context->begin_), "opening"));
  MUSTER_TRY_STATUS(checked(cudaEventCreate(&context->end_), "opening"));
  return context;
}

CardContext::~CardContext() {
  if (end_ != nullptr) (void)cudaEventDestroy(end_);
  if (begin_ != nullptr) (void)cudaEventDestroy(begin_);
  if (stream_ != nullptr) (void)cudaStreamDestroy(stream_);
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
