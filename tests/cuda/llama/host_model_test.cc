// A card's model on teams that the host plays.
#include "tests/cuda/host_card.h"
#include "tests/cuda/llama/model_conformance.h"

namespace muster::gpu {
namespace {

Result<std::shared_ptr<Card>> host_card() {
  return std::shared_ptr<Card>(std::make_shared<HostCard>());
}

INSTANTIATE_TEST_SUITE_P(Host, ModelConformance,
                         ::testing::Values(ModelMaker{"fp32", host_card, Compute::kFloat32},
                                           ModelMaker{"bf16", host_card, Compute::kBfloat16}),
                         [](const auto& test) { return test.param.name; });

}  // namespace
}  // namespace muster::gpu
