// The first cards of this machine, two at most, train the model that one alone does; skipped, with
// the reason, where there is none. Steps are repeated, so that they are recorded with what is done
// aside.
#include "tests/cuda/cards_as_ranks.h"
#include "tests/cuda/llama/example.h"

namespace muster::gpu {
namespace {

struct CardSharding {
  std::string name;
  bool shards_parameters = false, has_muon = false, tied = true;
  Compute compute = Compute::kFloat32;
};
void PrintTo(const CardSharding& sharding, std::ostream* out) { *out << sharding.name; }

constexpr std::uint64_t kSteps = 5;

// Of as many ranks, parted at a layer's begin: as a plan for either optimizer may.
std::vector<Range> owned_by(const state::ModelSpec& spec, unsigned ranks) {
  const state::Shape shape(spec);
  if (ranks == 1) return {{0, shape.parameters}};
  return {{0, shape.layer(1)}, {shape.layer(1), shape.parameters}};
}

std::unique_ptr<TrainableModel> make(Card& card, const LlamaExample& example,
                                     const CardSharding& sharding, const ShardSettings& shard) {
  auto made = card.make_model(
      {.spec = example.model,
       .sequences = 2,
       .compute = sharding.compute,
       .optimizer = {.kind = sharding.has_muon ? OptimizerKind::kMuon : OptimizerKind::kAdamW},
       .shard = shard});
  MUSTER_CHECK(made.has_value(), made ? "" : made.error().message);
  return std::move(made).value();
}

// θ's range after the steps of a rank, each with the sequences from `first` on.
std::vector<float> train(TrainableModel& model, const LlamaExample& example, const Range& own,
                         std::size_t first, std::size_t count, std::vector<StepOutcome>& outcomes) {
  const std::size_t row = example.model.context + std::size_t{1};
  model.parameters().write(part_of(std::span(example.theta), own)).value();
  model.parameters_changed().value();
  for (std::uint64_t step = 1; step <= kSteps; ++step) {
    const StepSettings settings{.learning_rate = 3e-3f,
                                .number = step,
                                .clip = 1,
                                .loss_limit = INFINITY,
                                .norm_limit = INFINITY,
                                .batch = {example.sequences, 3}};
    outcomes.push_back(
        model.step(std::span(example.tokens).subspan(first * row, count * row), settings).value());
  }
  std::vector<float> theta(own.size());
  model.parameters().read(theta).value();
  return theta;
}

class CardShard : public ::testing::TestWithParam<CardSharding> {};
INSTANTIATE_TEST_SUITE_P(
    Card, CardShard,
    ::testing::Values(CardSharding{"optimizer_fp32"}, CardSharding{"everything_fp32", true},
                      CardSharding{"optimizer_muon_bf16", false, true, false, Compute::kBfloat16},
                      CardSharding{"everything_muon_bf16", true, true, false, Compute::kBfloat16},
                      CardSharding{"everything_tied_bf16", true, false, true, Compute::kBfloat16}),
    [](const auto& test) { return test.param.name; });

TEST_P(CardShard, TakesTheStepsOfOneCardAlone) {
  const auto cards = CardsAsRanks::find();
  if (!cards) GTEST_SKIP() << cards.error().message;
  const LlamaExample example(odd_card_model(GetParam().tied), 5);
  const auto owned = owned_by(example.model, cards->size());
  std::vector<std::vector<float>> runs;
  std::vector<StepOutcome> alone;
  std::vector<float> expected;
  for (int run = 0; run < 2; ++run) {
    std::vector<float> theta(example.theta.size());
    std::vector<std::vector<StepOutcome>> outcomes(cards->size());
    cards->run([&](Card& card, Collective& collective) {
      const unsigned rank = collective.rank();
      const Range own = owned[rank];
      // The rank of three sequences makes two passes and both a third, of zeros.
      const std::size_t first = rank == 0 ? 0 : 3, count = collective.size() == 1 ? 5
                                                           : rank == 0            ? 3
                                                                                  : 2;
      const auto model = make(card, example, GetParam(),
                              {.collective = &collective,
                               .owned = owned,
                               .shards_parameters = GetParam().shards_parameters});
      const auto mine = train(*model, example, own, first, count, outcomes[rank]);
      std::ranges::copy(mine, theta.begin() + static_cast<std::ptrdiff_t>(own.begin));
      if (rank != 0 || run != 0) return;
      const auto whole = make(card, example, GetParam(), {});
      expected = train(*whole, example, {0, example.theta.size()}, 0, example.sequences, alone);
    });
    for (const auto& of_rank : outcomes) {
      ASSERT_EQ(of_rank.size(), kSteps);
      for (std::size_t step = 0; step < kSteps; ++step) {
        EXPECT_EQ(of_rank[step].loss, outcomes[0][step].loss);
        EXPECT_EQ(of_rank[step].gradient_norm, outcomes[0][step].gradient_norm);
        EXPECT_NEAR(of_rank[step].loss, alone[step].loss,
                    GetParam().compute == Compute::kFloat32 ? 1e-4 : 2e-2);
      }
    }
    runs.push_back(std::move(theta));
  }
  EXPECT_LE(relative_error(runs[0], expected),
            GetParam().compute == Compute::kFloat32 ? 1e-4 : 2e-2);
  EXPECT_EQ(std::memcmp(runs[0].data(), runs[1].data(), runs[0].size() * sizeof(float)), 0)
      << "the same bits on every run";
}

}  // namespace
}  // namespace muster::gpu
