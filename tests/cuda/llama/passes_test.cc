// A card's passes, run by the host, against the CPU's training.
#include "cuda/llama/passes.h"

#include "cuda/llama/occurrences.h"
#include "tests/cuda/llama/example.h"
#include "tests/cuda/llama/host_backend.h"

namespace muster::gpu {
namespace {

template <class T>
class PassesTest : public ::testing::Test {
 protected:
  static constexpr bool kRounds = std::is_same_v<T, Bf16>;
  static constexpr double kGradientError = kRounds ? 0.03 : 1e-5,
                          kLossError = kRounds ? 1e-2 : 1e-5;

  static LlamaExample::Outcome run(const LlamaExample& example, float scale = 1) {
    const model::Rotary rotary(example.model, example.model.context);
    HostBackend backend;
    auto passes = Passes<T, HostBackend>::make(backend, example.model, example.sequences, true,
                                               rotary.cosines(), rotary.sines())
                      .value();
    const auto occurrences =
        occurrences_of(example.tokens, example.model.context, example.model.vocab);
    const auto count = static_cast<std::uint32_t>(occurrences.tokens.size());
    std::vector<T> weights;
    for (const float x : example.theta) weights.push_back(rounded_to<T>(x));
    const DeviceTokens tokens{example.tokens.data(), example.model.context};
    LlamaExample::Outcome outcome{0, std::vector<float>(example.theta.size()),
                                  std::vector<float>(example.sequences)};
    WholeParts<T> parts{passes.shape(), example.theta.data(), weights.data(),
                        outcome.gradient.data()};
    passes.add_gradient(parts, tokens, example.sequences, scale);
    passes.add_embedding_gradient(
        parts,
        {&count, occurrences.tokens.data(), occurrences.ends.data(), occurrences.rows.data()},
        example.sequences);
    const std::size_t M = example.sequences * example.model.context;
    backend.run(MeanTask{passes.token_losses(), M, nullptr, &outcome.loss}, 1);
    passes.losses(parts, tokens, example.sequences);
    backend.run(MeanTask{passes.token_losses(), example.model.context, outcome.losses.data()},
                example.sequences);
    return outcome;
  }
  static void expect_as_on_cpus(const LlamaExample& example) {
    const auto outcome = run(example), expected = example.expected();
    EXPECT_NEAR(outcome.loss, expected.loss, kLossError);
    for (std::size_t s = 0; s < example.sequences; ++s)
      EXPECT_NEAR(outcome.losses[s], expected.losses[s], kLossError);
    expect_near_gradient(example.model, outcome.gradient, expected.gradient, kGradientError);
  }
};
using Formats = ::testing::Types<float, Bf16>;
TYPED_TEST_SUITE(PassesTest, Formats);

TYPED_TEST(PassesTest, GiveTheCpusLossesAndGradientWithSharedKeysAndStretchedAngles) {
  this->expect_as_on_cpus(LlamaExample(odd_card_model(false)));
}

TYPED_TEST(PassesTest, GiveTheCpusLossesAndGradientOfATiedModel) {
  this->expect_as_on_cpus(LlamaExample(odd_card_model(true), 3));
}

TYPED_TEST(PassesTest, GiveTheCpusLossesAndGradientWhereARowHasSeveralParts) {
  this->expect_as_on_cpus(LlamaExample({.d_model = 1152,
                                        .layers = 1,
                                        .heads = 9,
                                        .kv_heads = 3,
                                        .d_ff = 64,
                                        .context = 24,
                                        .vocab = 64,
                                        .tied = true}));
}

TYPED_TEST(PassesTest, AddAScaledGradientToWhatIsThere) {
  const LlamaExample example(odd_card_model(true));
  const auto half = this->run(example, 0.5f), whole = this->run(example);
  std::vector<float> twice(half.gradient);
  for (float& x : twice) x *= 2;
  EXPECT_LE(relative_error(twice, whole.gradient), 1e-5);
}

TEST(CheckModel, NamesTheFieldAndTheMend) {
  const auto says = [](state::ModelSpec spec) { return check_model(spec).error().message; };
  EXPECT_TRUE(check_model(odd_card_model(true)).has_value());
  EXPECT_EQ(says({.d_model = 60, .heads = 6, .kv_heads = 3}),
            "on a card a head is 32, 64 or 128 wide, not d_model / heads = 10; change [model] or "
            "train with --device "
            "cpu");
  EXPECT_NE(says({.d_ff = 385}).find("d_ff"), std::string::npos);
  EXPECT_NE(says({.vocab = 97}).find("vocab"), std::string::npos);
  EXPECT_NE(says({.context = 8192}).find("context"), std::string::npos);
}

TEST(Occurrences, HoldEveryRowOnceAndInOrder) {
  const std::vector<std::int32_t> tokens{5, 2, 5, 9, /**/ 2, 5, 5, 1};
  const Occurrences found = occurrences_of(tokens, 3, 10);
  EXPECT_EQ(found.tokens, (std::vector<std::uint32_t>{2, 5}));
  EXPECT_EQ(found.ends, (std::vector<std::uint32_t>{2, 6}));
  EXPECT_EQ(found.rows, (std::vector<std::uint32_t>{1, 3, 0, 2, 4, 5}));
}

}  // namespace
}  // namespace muster::gpu
