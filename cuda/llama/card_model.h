// A TrainableModel in a card's memory. Only for the sources of libmuster_cuda.so. Thread safety:
// that of the card.
#pragma once

#include "cuda/card_context.h"

namespace muster::gpu {

// Errors: those of Card::make_model. The context must outlive it.
[[nodiscard]] Result<std::unique_ptr<TrainableModel>> make_card_model(
    CardContext& card, const ModelSettings& settings);

}  // namespace muster::gpu
