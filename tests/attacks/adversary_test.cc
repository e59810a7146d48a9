// What adversaries send must get past the decoder: an attack that is malformed tests nothing but
// the decoder.
#include "sim/attacks/adversary.h"

#include <gtest/gtest.h>

#include <set>

#include "sim/attacks/dense.h"
#include "state/model_spec.h"

namespace muster::sim {
namespace {

const state::ModelSpec kModel{.d_model = 16,
                              .layers = 1,
                              .heads = 2,
                              .kv_heads = 2,
                              .d_ff = 16,
                              .context = 8,
                              .vocab = 64,
                              .tied = true};
constexpr std::uint32_t kBatch = 2;

AdversaryContext context_with(std::uint64_t seed) {
  return {state::layout_of(kModel), 20'000, kBatch, seed, Uid{}};
}

std::vector<std::uint64_t> assigned() {
  std::vector<std::uint64_t> sequences(16);
  for (std::size_t i = 0; i < sequences.size(); ++i) sequences[i] = 100 + i;
  return sequences;
}

compression::Payload trained(std::uint64_t seed) {
  Prng random(seed);
  const auto layout = state::layout_of(kModel);
  std::vector<float> dense(layout.parameters());
  for (float& value : dense) value = static_cast<float>(random.uniform() - 0.5);
  return compression::compress(
             layout, compression::two_part_format(256, compression::ValueFormat::kSign), dense)
      .value();
}

class AnyAttack : public ::testing::TestWithParam<std::size_t> {
 protected:
  const Attack& attack_ = attacks()[GetParam()];
};

TEST_P(AnyAttack, SendsPayloadsThatDecodeAndClaimsAllOfItsWork) {
  const auto layout = state::layout_of(kModel);
  const auto adversary = attack_.make(context_with(3));
  RevealedPayloads others;
  for (std::uint64_t r = 0; r < 24; ++r) {
    const Round round{r};
    if (!adversary->takes_part(round)) continue;
    adversary->peeked(round, others);
    const auto sequences = adversary->sequences(round, assigned());
    EXPECT_LE(sequences.size(), assigned().size());
    EXPECT_EQ(sequences.size() % kBatch, 0u);
    EXPECT_EQ(adversary->claims(static_cast<std::uint32_t>(sequences.size()), 16), 16u);
    const auto payload = adversary->payload(round, trained(r));
    EXPECT_EQ(payload.format, trained(r).format);
    const auto decoded = compression::decode(layout, payload);
    ASSERT_TRUE(decoded.has_value()) << decoded.error().message;
    EXPECT_GT(compression::norm(*decoded), 0);
    const auto other = std::make_shared<const compression::SparseUpdate>(
        compression::decode(layout, trained(100 + r)).value());
    others = {{Uid{7}, other}};
    adversary->saw_aggregate(round, *other);
    adversary->saw_payloads(round, others);
  }
}

TEST_P(AnyAttack, RepeatsExactlyForASeed) {
  const auto one = attack_.make(context_with(5)), two = attack_.make(context_with(5));
  EXPECT_EQ(one->sequences(Round{21}, assigned()), two->sequences(Round{21}, assigned()));
  EXPECT_EQ(one->payload(Round{21}, trained(1)), two->payload(Round{21}, trained(1)));
}

INSTANTIATE_TEST_SUITE_P(All, AnyAttack, ::testing::Range(std::size_t{0}, attacks().size()),
                         [](const auto& attack) {
                           std::string name(attacks()[attack.param].name);
                           for (char& c : name) c = c == '-' ? '_' : c;
                           return name;
                         });

TEST(Catalogue, NamesEachAttackOnceAndFindsIt) {
  std::set<std::string_view> names;
  for (const Attack& attack : attacks()) {
    EXPECT_TRUE(names.insert(attack.name).second) << attack.name;
    EXPECT_EQ(find_attack(attack.name), &attack);
  }
  EXPECT_EQ(find_attack("honest work"), nullptr);
}

TEST(Lazy, TrainsTheShareThatItsNameSays) {
  EXPECT_EQ(find_attack("lazy-25")->make(context_with(1))->sequences(Round{1}, assigned()).size(),
            4u);
  EXPECT_EQ(find_attack("lazy-50")->make(context_with(1))->sequences(Round{1}, assigned()).size(),
            8u);
  EXPECT_EQ(find_attack("lazy-75")->make(context_with(1))->sequences(Round{1}, assigned()).size(),
            12u);
}

const std::map<Uid, std::vector<std::uint64_t>> kAssigned{
    {Uid{0}, {1, 2, 3, 4}}, {Uid{6}, {11, 12, 13, 14}}, {Uid{7}, {21, 22, 23, 24}}};

std::vector<std::uint64_t> trained_on(std::string_view attack, std::uint16_t hotkey) {
  AdversaryContext context = context_with(1);
  context.first_hotkey = Uid{6};
  const auto adversary = find_attack(attack)->make(context);
  adversary->saw_assignment(Round{3}, kAssigned);
  return adversary->sequences(Round{3}, kAssigned.at(Uid{hotkey}));
}

TEST(Shadow, TrainsOnItsVictimsSequencesInTheirOrder) {
  EXPECT_EQ(trained_on("shadow", 6), kAssigned.at(Uid{0}));
}

TEST(SybilMix, TrainsOnHalfOfTheSequencesOfBothHotkeysForEachOfThem) {
  const std::vector<std::uint64_t> half_of_both{11, 12, 21, 22};
  EXPECT_EQ(trained_on("sybil-mix", 6), half_of_both);
  EXPECT_EQ(trained_on("sybil-mix", 7), half_of_both);
}

TEST(HalfBatch, TrainsOnTheFirstHalfOfEachBatch) {
  EXPECT_EQ(trained_on("half-batch", 6), (std::vector<std::uint64_t>{11, 13}));
}

TEST(PublicData, IsTheSameForAllColluders) {
  EXPECT_EQ(trained_on("public-data", 6), trained_on("public-data", 7));
  EXPECT_NE(trained_on("public-data", 6), kAssigned.at(Uid{6}));
}

TEST(Replay, SendsTheLastAggregateAndReverseItsOpposite) {
  const auto layout = state::layout_of(kModel);
  const auto aggregate = compression::decode(layout, trained(9)).value();
  for (const bool reversed : {false, true}) {
    const auto adversary = (reversed ? reversed_replay : replay)(context_with(1));
    adversary->saw_aggregate(Round{0}, aggregate);
    const auto sent = to_dense(layout, adversary->payload(Round{1}, trained(2)));
    for (std::size_t i = 0; i < aggregate.indices.size(); ++i)
      EXPECT_EQ(sent[aggregate.indices[i]] > 0, (aggregate.values[i] > 0) != reversed);
  }
}

TEST(Turncoat, IsHonestUntilItTurns) {
  const auto adversary = turncoat(context_with(1));
  EXPECT_EQ(adversary->payload(Round{19}, trained(2)), trained(2));
  EXPECT_NE(adversary->payload(Round{20}, trained(2)), trained(2));
}

}  // namespace
}  // namespace muster::sim
