// The same on the first card of this machine, and sizes that only a card is fast enough for;
// skipped, with the reason, where there is none.
#include "tests/cuda/llama/model_conformance.h"

namespace muster::gpu {
namespace {

Result<std::shared_ptr<Card>> open_first_card() {
  MUSTER_TRY(const auto cards, load_cards(std::filesystem::path(MUSTER_BINARY_DIR) / "bin"));
  MUSTER_TRY(auto card, cards->open(0));
  return std::shared_ptr<Card>(std::move(card));
}

const Result<std::shared_ptr<Card>>& first_card() {
  static const Result<std::shared_ptr<Card>> card = open_first_card();
  return card;
}

INSTANTIATE_TEST_SUITE_P(
    Card, ModelConformance,
    ::testing::Values(ModelMaker{"fp32", [] { return first_card(); }, Compute::kFloat32},
                      ModelMaker{"bf16", [] { return first_card(); }, Compute::kBfloat16}),
    [](const auto& test) { return test.param.name; });

class LongContext : public ModelConformance {};
INSTANTIATE_TEST_SUITE_P(Card, LongContext,
                         ::testing::Values(ModelMaker{"bf16", [] { return first_card(); },
                                                      Compute::kBfloat16}),
                         [](const auto& test) { return test.param.name; });

TEST_P(LongContext, GivesTheCpusGradientAt1024) {
  expect_as_on_cpus(LlamaExample({.d_model = 192,
                                  .layers = 2,
                                  .heads = 3,
                                  .kv_heads = 3,
                                  .d_ff = 256,
                                  .context = 1024,
                                  .vocab = 1024,
                                  .tied = false},
                                 1),
                    1);
}

TEST_P(LongContext, GivesTheCpusGradientAt4096) {
  expect_as_on_cpus(LlamaExample({.d_model = 128,
                                  .layers = 1,
                                  .heads = 2,
                                  .kv_heads = 1,
                                  .d_ff = 128,
                                  .context = 4096,
                                  .vocab = 256,
                                  .tied = true},
                                 1),
                    1);
  expect_as_on_cpus(LlamaExample({.d_model = 128,
                                  .layers = 1,
                                  .heads = 1,
                                  .kv_heads = 1,
                                  .d_ff = 128,
                                  .context = 4096,
                                  .vocab = 256,
                                  .tied = true},
                                 1),
                    1);
}

}  // namespace
}  // namespace muster::gpu
