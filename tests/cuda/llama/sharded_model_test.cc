// Several ranks train the model that one alone does.
#include <cstring>

#include "tests/cuda/llama/sharded_training.h"

namespace muster::gpu {
namespace {

struct Trained {
  std::vector<std::vector<StepOutcome>> outcomes;  // by rank
  std::vector<float> theta;
  std::vector<std::string> memory_names;  // of rank 0's optimizer
  std::uint64_t remembered = 0;           // numbers, of all ranks
};
constexpr std::uint64_t kSteps = 4;

Trained train(const ShardedSetting& setting, const LlamaExample& example,
              const std::vector<Range>& owned) {
  Trained trained;
  trained.outcomes.resize(setting.ranks);
  Union theta(example.theta.size());
  std::vector<std::uint64_t> remembered(setting.ranks);
  train_sharded(setting, example, owned, [&](Rank& rank) {
    const unsigned r = rank.collective.rank();
    for (std::uint64_t step = 1; step <= kSteps; ++step) {
      const auto outcome = rank.step(step);
      ASSERT_TRUE(outcome) << outcome.error().message;
      trained.outcomes[r].push_back(*outcome);
    }
    theta.put(rank.own, rank.model->parameters());
    for (const NamedArray& array : rank.model->optimizer_arrays()) {
      remembered[r] += array.values->size();
      if (r == 0) trained.memory_names.push_back(array.name);
    }
  });
  trained.theta = theta.values();
  for (const std::uint64_t count : remembered) trained.remembered += count;
  return trained;
}

Trained train_alone(ShardedSetting setting, const LlamaExample& example) {
  setting.at_once = 2;
  const auto model = make_host_model(example, setting, {});
  set_parameters(*model, example.theta);
  Trained trained;
  trained.outcomes.resize(1);
  for (std::uint64_t step = 1; step <= kSteps; ++step)
    trained.outcomes[0].push_back(model->step(example.tokens, step_settings(step)).value());
  trained.theta = numbers_in(model->parameters());
  for (const NamedArray& array : model->optimizer_arrays()) {
    trained.remembered += array.values->size();
    trained.memory_names.push_back(array.name);
  }
  return trained;
}

template <class X>
bool same_bits(const std::vector<X>& a, const std::vector<X>& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(X)) == 0;
}
bool same_outcomes(const std::vector<StepOutcome>& a, const std::vector<StepOutcome>& b) {
  return std::ranges::equal(a, b, [](const StepOutcome& x, const StepOutcome& y) {
    return x.loss == y.loss && x.gradient_norm == y.gradient_norm && x.applied == y.applied;
  });
}
// How far θ went on the way, compared.
double way_error(const LlamaExample& example, std::vector<float> theta,
                 std::vector<float> expected) {
  for (std::size_t i = 0; i < theta.size(); ++i) {
    theta[i] -= example.theta[i];
    expected[i] -= example.theta[i];
  }
  return relative_error(theta, expected);
}

class ShardedModel : public ::testing::TestWithParam<ShardedSetting> {};

std::string name_of(const ::testing::TestParamInfo<ShardedSetting>& test) {
  return name_of(test.param);
}
std::vector<ShardedSetting> settings() {
  std::vector<ShardedSetting> all;
  for (const bool everything : {false, true}) {
    for (const bool muon : {false, true})
      for (const bool tied : {false, true})
        for (const Compute compute : {Compute::kFloat32, Compute::kBfloat16})
          all.push_back({3, everything, muon, tied, compute});
    all.push_back({2, everything, true, true, Compute::kBfloat16});
    all.push_back({2, everything, false, false, Compute::kFloat32});
    all.push_back({4, everything, true, false, Compute::kFloat32});
    all.push_back({4, everything, false, true, Compute::kBfloat16});
  }
  return all;
}
INSTANTIATE_TEST_SUITE_P(Ranks, ShardedModel, ::testing::ValuesIn(settings()), name_of);

TEST_P(ShardedModel, TakesTheStepsOfOneRankAlone) {
  const ShardedSetting& setting = GetParam();
  const LlamaExample example = example_of(setting);
  const auto owned = owned_by(setting, example);
  const Trained alone = train_alone(setting, example), sharded = train(setting, example, owned);
  const bool rounds = setting.compute == Compute::kBfloat16;
  for (std::size_t step = 0; step < kSteps; ++step) {
    const StepOutcome &outcome = sharded.outcomes[0][step], &expected = alone.outcomes[0][step];
    EXPECT_TRUE(outcome.applied);
    EXPECT_NEAR(outcome.loss, expected.loss, rounds ? 0.02 : 1e-5 * expected.loss) << step;
    EXPECT_NEAR(outcome.gradient_norm, expected.gradient_norm,
                expected.gradient_norm * (rounds ? 0.05 : 1e-5))
        << step;
  }
  // AdamW turns numbers near zero, of whichever sign, into steps of full length.
  EXPECT_LE(way_error(example, sharded.theta, alone.theta), rounds ? 0.2 : 1e-4);
  EXPECT_LE(relative_error(sharded.theta, alone.theta), rounds ? 2e-2 : 1e-5);
  EXPECT_EQ(sharded.memory_names, alone.memory_names);
  EXPECT_EQ(sharded.remembered, alone.remembered);
  for (const auto& outcomes : sharded.outcomes)
    EXPECT_TRUE(same_outcomes(outcomes, sharded.outcomes[0])) << "the same bits on all ranks";
  ShardedSetting late = setting;
  late.defers = true;
  const Trained again = train(late, example, owned);
  EXPECT_TRUE(same_outcomes(again.outcomes[0], sharded.outcomes[0]));
  EXPECT_TRUE(same_bits(again.theta, sharded.theta))
      << "the same bits on every run, whenever what is aside is done";
}

TEST_P(ShardedModel, GivesTheGradientAndTheLossesOfOneRankAlone) {
  const ShardedSetting& setting = GetParam();
  const LlamaExample example = example_of(setting);
  const auto expected = example.expected();
  const double loss_error = setting.compute == Compute::kFloat32 ? 1e-4 : 2e-2;
  Union gradient(example.theta.size());
  train_sharded(setting, example, owned_by(setting, example), [&](Rank& rank) {
    // A step's gradient is its own, whatever was before.
    for (int time = 0; time < 2; ++time) {
      const auto outcome = rank.model->compute_gradient(rank.tokens, rank.batch);
      ASSERT_TRUE(outcome) << outcome.error().message;
      EXPECT_NEAR(outcome->loss, expected.loss, loss_error);
    }
    gradient.put(rank.own, rank.model->gradient());
    // Where all have all of θ one may ask alone.
    if (!setting.shards_parameters && rank.collective.rank() != 1) return;
    std::vector<float> losses(example.sequences);
    ASSERT_TRUE(rank.model->losses(example.tokens, losses));
    for (std::size_t s = 0; s < losses.size(); ++s)
      EXPECT_NEAR(losses[s], expected.losses[s], loss_error);
  });
  expect_near_gradient(example.model, gradient.values(), expected.gradient,
                       setting.compute == Compute::kFloat32 ? 1e-4 : 0.03);
}

TEST_P(ShardedModel, MovesNothingAnywhereWhenAStepIsRefused) {
  const ShardedSetting& setting = GetParam();
  const LlamaExample example = example_of(setting);
  train_sharded(setting, example, owned_by(setting, example), [&](Rank& rank) {
    ASSERT_TRUE(rank.step(1)->applied);
    const auto state = [&] {
      std::vector<std::vector<float>> arrays{numbers_in(rank.model->parameters())};
      for (const NamedArray& array : rank.model->optimizer_arrays())
        arrays.push_back(numbers_in(*array.values));
      return arrays;
    };
    auto before = state();
    StepSettings strict = step_settings(2);
    strict.batch = rank.batch;
    strict.loss_limit = strict.norm_limit = 0;
    EXPECT_FALSE(rank.model->step(rank.tokens, strict)->applied) << "a spike";
    EXPECT_EQ(state(), before);
    // One rank's numbers are not finite: all see it.
    if (rank.collective.rank() == 1) before[0][before[0].size() / 2] = INFINITY;
    set_parameters(*rank.model, before[0]);
    EXPECT_FALSE(rank.step(2)->applied);
    EXPECT_EQ(state(), before);
  });
}

class ShardedModelOf : public ::testing::TestWithParam<bool> {};
INSTANTIATE_TEST_SUITE_P(Sharding, ShardedModelOf, ::testing::Bool(),
                         [](const auto& test) { return test.param ? "everything" : "optimizer"; });

TEST_P(ShardedModelOf, OneRankOrOneLayerTakesTheSameSteps) {
  for (const ShardedSetting& setting :
       {ShardedSetting{.ranks = 1, .shards_parameters = GetParam()},
        ShardedSetting{.ranks = 2, .shards_parameters = GetParam(), .tied = false, .layers = 1},
        ShardedSetting{.ranks = 3, .shards_parameters = GetParam(), .layers = 2, .at_once = 3}}) {
    const LlamaExample example = example_of(setting);
    const Trained alone = train_alone(setting, example),
                  sharded = train(setting, example, owned_by(setting, example));
    EXPECT_LE(relative_error(sharded.theta, alone.theta), 1e-5) << setting.ranks;
  }
}

TEST_P(ShardedModelOf, ARankMayOwnNothing) {
  for (const bool has_muon : {false, true}) {
    for (const Compute compute : {Compute::kFloat32, Compute::kBfloat16}) {
      const ShardedSetting setting{
          .ranks = 3, .shards_parameters = GetParam(), .has_muon = has_muon, .compute = compute};
      const LlamaExample example = example_of(setting);
      const std::uint64_t all = example.theta.size();
      const Trained alone = train_alone(setting, example),
                    sharded = train(setting, example, {{0, 0}, {0, all}, {all, all}});
      EXPECT_LE(relative_error(sharded.theta, alone.theta),
                compute == Compute::kFloat32 ? 1e-5 : 2e-2);
      EXPECT_EQ(sharded.remembered, alone.remembered);
    }
  }
}

TEST_P(ShardedModelOf, IsAnErrorForTheOthersWhenARankLeaves) {
  const ShardedSetting setting{.ranks = 3, .shards_parameters = GetParam()};
  const LlamaExample example = example_of(setting);
  train_sharded(setting, example, owned_by(setting, example), [&](Rank& rank) {
    ASSERT_TRUE(rank.step(1));
    if (rank.collective.rank() == 1) return;  // its end closes its connections
    const auto outcome = rank.step(2);
    ASSERT_FALSE(outcome);
    EXPECT_EQ(outcome.error().code, Errc::kClosed);
    EXPECT_FALSE(rank.step(3));
  });
}

// One rank that counts what several would send.
class CountingCollective final : public Collective {
 public:
  std::vector<std::size_t> gathered, reduced;  // floats of each call
  unsigned rank() const override { return 0; }
  unsigned size() const override { return 1; }
  Status all_gather(std::span<float> values, std::span<const Range>) override {
    gathered.push_back(values.size());
    return {};
  }
  Status reduce_scatter(std::span<const float> values, std::span<const Range> owned,
                        std::span<float> sum) override {
    reduced.push_back(values.size());
    std::ranges::copy(part_of(values, owned[0]), sum.begin());
    return {};
  }
  Status reshare(std::span<const float>, std::span<const Range>, std::span<float>,
                 std::span<const Range>) override {
    return {};
  }
  Status share(std::span<const double> mine, std::span<double> all) override {
    std::ranges::copy(mine, all.begin());
    return {};
  }
};

TEST(ShardedModelsTraffic, IsEachPartsGradientOnceAPassAndWhatIsNotThereOfTheWeights) {
  for (const bool tied : {false, true}) {
    for (const bool everything : {false, true}) {
      const ShardedSetting setting{
          .ranks = 1, .shards_parameters = everything, .tied = tied, .layers = 4, .at_once = 5};
      const LlamaExample example = example_of(setting);
      const state::Shape shape(example.model);
      const std::size_t gains = 9 * shape.width, layer = shape.layer_parameters,
                        all = shape.parameters, embedding = shape.vocab * shape.width;
      CountingCollective collective;
      const Rank rank(collective, example, setting, {{0, all}});
      using Sizes = std::vector<std::size_t>;
      EXPECT_EQ(collective.gathered, everything ? Sizes{gains} : (Sizes{gains, all}));
      collective.gathered.clear();
      ASSERT_TRUE(rank.step(1));
      // Backward the last two layers, and a tied head, are there still.
      Sizes gathered;
      if (everything) {
        gathered = {embedding, layer, layer, layer, layer};
        if (!tied) gathered.push_back(shape.width + embedding);
        gathered.insert(gathered.end(), {layer, layer});
      }
      gathered.insert(gathered.end(), {4, gains});  // two doubles a rank
      if (!everything) gathered.push_back(all);
      EXPECT_EQ(collective.gathered, gathered);
      EXPECT_EQ(collective.reduced, (Sizes{tied ? shape.width : shape.width + embedding, layer,
                                           layer, layer, layer, embedding}));
    }
  }
}

TEST(ShardedModelDeathTest, WantsOneSizeDealtOutInOneWay) {
  const ShardedSetting setting{.ranks = 1};
  const LlamaExample example = example_of(setting);
  train_sharded(setting, example, owned_by(setting, example), [&](Rank& rank) {
    ASSERT_TRUE(rank.step(1));
    rank.tokens.resize(rank.tokens.size() - (example.model.context + 1));
    EXPECT_DEATH((void)rank.step(2), "dealt out otherwise");
    rank.batch.sequences = 1;
    EXPECT_DEATH((void)rank.step(2), "less than this rank's alone");
  });
}

TEST_P(ShardedModelOf, KeepsAShareOfTheModelAndThePartsAtWork) {
  for (const Compute compute : {Compute::kFloat32, Compute::kBfloat16}) {
    const ShardedSetting setting{.ranks = 4,
                                 .shards_parameters = GetParam(),
                                 .tied = false,
                                 .compute = compute,
                                 .layers = 12};
    const LlamaExample example = example_of(setting);
    const auto owned = owned_by(setting, example);
    std::uint64_t alone = 0;
    (void)make_host_model(example, setting, {}, &alone);
    const state::Shape shape(example.model);
    const std::uint64_t parameters = shape.parameters, layer = shape.layer_parameters,
                        outer = shape.vocab * shape.width + shape.width;
    train_sharded(setting, example, owned, [&](Rank& rank) {
      const bool rounds = compute == Compute::kBfloat16;
      const std::uint64_t others = parameters - rank.own.size(), weight = rounds ? 2 : 4;
      // Master, gradient and two moments of what others own are not here.
      std::uint64_t most = alone - 16 * others;
      // Gradients of two layers and of the embedding or the head, and one of the sums.
      most += 4 * (2 * layer + outer) + 4 * std::max(layer, outer);
      // What products read: all of it, or own() and parts; of one alone in fp32 that is the
      // masters.
      if (GetParam())
        most += weight * (2 * layer + outer) - (rounds ? 2 * others : 0);
      else if (!rounds)
        most += 4 * parameters;
      most += 4 * (2 * shape.layers + 1) * shape.width;  // gains
      most += 4096;                                      // lists
      EXPECT_LE(rank.allocated_bytes, most);
      EXPECT_GE(rank.own.size(), parameters / 5);
      // With twelve layers on four ranks: of 18 bytes a parameter (16 in fp32) less than this many
      // are left.
      const auto beside =
          static_cast<double>(alone) - (rounds ? 18.0 : 16.0) * static_cast<double>(parameters);
      const double each =
          (static_cast<double>(rank.allocated_bytes) - beside) / static_cast<double>(parameters);
      EXPECT_LT(each, GetParam() ? 8.0 : rounds ? 8.5 : 10.5) << "bytes a parameter";
    });
  }
}

}  // namespace
}  // namespace muster::gpu
