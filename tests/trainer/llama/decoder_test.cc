#include "trainer/llama/decoder.h"

#include "tests/trainer/trainer_fixture.h"

namespace muster::trainer {
namespace {

state::ModelSpec grouped_model() {
  state::ModelSpec model{.d_model = 48,
                         .layers = 3,
                         .heads = 4,
                         .kv_heads = 2,
                         .d_ff = 80,
                         .context = 24,
                         .vocab = 61,
                         .tied = false};
  model.rope_scaling = state::RopeScaling{8, 1, 4, 16};
  return model;
}

std::vector<float> wide_parameters(const state::ModelSpec& model) {
  std::vector<float> theta(state::layout_of(model).parameters());
  state::initial_parameters(model, 5, theta);
  for (float& value : theta) value *= 2;
  return theta;
}

TEST(Decoder, GivesTheLogitsOfTheWholeSequence) {
  const auto model = grouped_model();
  const auto theta = wide_parameters(model);
  Prng random(3);
  std::vector<std::int32_t> tokens(model.context);
  for (auto& token : tokens) token = static_cast<std::int32_t>(random.below(model.vocab));
  for (const unsigned threads : {1u, 3u}) {
    Team team(threads);
    const auto whole =
        Llama::make(model, {.compute = Compute::kFloat32}, team).value()->logits(theta, tokens);
    Decoder decoder(model, theta, team);
    for (std::size_t t = 0; t < tokens.size(); ++t) {
      const auto logits = decoder.step(tokens[t]);
      for (std::size_t v = 0; v < logits.size(); ++v)
        ASSERT_NEAR(logits[v], whole[t * model.vocab + v], 1e-4)
            << "position " << t << ", token " << v;
    }
  }
}

TEST(Decoder, StartsAnewAfterAReset) {
  const auto model = grouped_model();
  const auto theta = wide_parameters(model);
  Team team(1);
  Decoder decoder(model, theta, team);
  const auto first = decoder.step(7);
  const std::vector<float> fresh(first.begin(), first.end());
  decoder.step(8);
  EXPECT_EQ(decoder.position(), 2u);
  decoder.reset();
  const auto again = decoder.step(7);
  EXPECT_EQ(std::vector<float>(again.begin(), again.end()), fresh);
}

}  // namespace
}  // namespace muster::trainer
