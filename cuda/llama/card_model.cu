#include "cuda/llama/card_backend.cuh"
#include "cuda/llama/card_model.h"
#include "cuda/llama/model_on.h"

namespace muster::gpu {

Result<std::unique_ptr<TrainableModel>> make_card_model(CardContext& card,
                                                        const ModelSettings& settings) {
  MUSTER_TRY_STATUS(check_model(settings.spec));
  MUSTER_TRY(auto backend, CardBackend::make(card));
  if (settings.compute == Compute::kFloat32)
    return ModelOn<float, CardBackend>::make(std::move(backend), settings);
  return ModelOn<Bf16, CardBackend>::make(std::move(backend), settings);
}

}  // namespace muster::gpu
