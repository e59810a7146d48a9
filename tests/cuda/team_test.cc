// A card's algorithms on teams that the host plays.
#include "tests/cuda/card_conformance.h"
#include "tests/cuda/host_card.h"

namespace muster::gpu {

INSTANTIATE_TEST_SUITE_P(
    Host, CardConformance,
    ::testing::Values(CardMaker{
        "teams", [] { return Result<std::shared_ptr<Card>>(std::make_shared<HostCard>()); }}),
    [](const auto& test) { return test.param.name; });

}  // namespace muster::gpu

namespace muster::compression {

INSTANTIATE_TEST_SUITE_P(Host, SelectConformance,
                         ::testing::Values(gpu::selector_of("teams",
                                                            std::make_shared<gpu::HostCard>())),
                         [](const auto& test) { return test.param.name; });

}  // namespace muster::compression
