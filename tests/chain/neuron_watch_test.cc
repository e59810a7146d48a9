#include "chain/service/neuron_watch.h"

#include <gtest/gtest.h>

#include "chain/economy/pruning.h"

namespace muster::chain {
namespace {

PublicKey key(std::uint8_t number) { return PublicKey{{number}}; }

// Registered at block 0. With stake; a validator has set weights.
protocol::Neuron neuron(std::uint16_t uid, Role role, bool permit, std::uint32_t replaced_after) {
  return {.uid = Uid{uid},
          .hotkey = key(static_cast<std::uint8_t>(uid)),
          .stake = 5,
          .last_update = role == Role::kValidator ? 90u : 0u,
          .permit = permit,
          .replaced_after = replaced_after};
}

protocol::Metagraph metagraph(std::vector<protocol::Neuron> neurons) {
  protocol::Metagraph graph;
  graph.block = 100;
  graph.tempo = 10;
  graph.registration_rao = 1'000;
  graph.neurons = std::move(neurons);
  return graph;
}

TEST(PermitWarning, SaysNothingWhileAPermitHolderIsSafe) {
  EXPECT_FALSE(permit_warning(metagraph({})));
  EXPECT_FALSE(permit_warning(
      metagraph({neuron(0, Role::kMiner, true, 0), neuron(1, Role::kMiner, false, 1)})));
  EXPECT_FALSE(permit_warning(
      metagraph({neuron(1, Role::kValidator, true, 1), neuron(2, Role::kValidator, true, 0)})));
}

TEST(PermitWarning, NamesTheLastHolderAndWhenItGoes) {
  const auto one = permit_warning(
      metagraph({neuron(1, Role::kValidator, true, 1), neuron(2, Role::kMiner, false, 2)}));
  ASSERT_TRUE(one);
  EXPECT_NE(one->find("the only validator with a permit (uid 1,"), std::string::npos) << *one;
  EXPECT_NE(one->find("when one more hotkey registers"), std::string::npos) << *one;
  const auto beside_miner = permit_warning(
      metagraph({neuron(1, Role::kValidator, true, 1), neuron(2, Role::kMiner, true, 0)}));
  EXPECT_TRUE(beside_miner) << "a permit that nobody sets weights with keeps nothing going";
  const auto two = permit_warning(
      metagraph({neuron(1, Role::kValidator, true, 3), neuron(2, Role::kValidator, true, 9)}));
  ASSERT_TRUE(two);
  EXPECT_NE(two->find("the last of the validators with a permit (uid 2,"), std::string::npos)
      << *two;
  EXPECT_NE(two->find("when 9 more hotkeys register"), std::string::npos) << *two;
}

TEST(PermitWarning, SaysThatNobodyHoldsOneOnceSomebodyCould) {
  auto graph = metagraph({neuron(1, Role::kValidator, false, 0)});
  ASSERT_TRUE(permit_warning(graph));
  graph.neurons[0].registered_block = 95;
  EXPECT_FALSE(permit_warning(graph)) << "permits come with epochs";
}

TEST(UidStep, BuysBackAStakedHotkeysUidWithinTheBudgetOnly) {
  const auto graph = metagraph({neuron(1, Role::kValidator, true, 0)});
  EXPECT_EQ(uid_step(graph, key(1), true, 0, 5'000), UidStep::kNone) << "it is there";
  EXPECT_EQ(uid_step(graph, key(9), false, 0, 5'000), UidStep::kNone) << "it never was";
  EXPECT_EQ(uid_step(graph, key(9), true, 0, 5'000), UidStep::kRegister);
  EXPECT_EQ(uid_step(graph, key(9), true, 4'000, 5'000), UidStep::kRegister);
  EXPECT_EQ(uid_step(graph, key(9), true, 4'001, 5'000), UidStep::kTooDear);
  EXPECT_EQ(uid_step(graph, key(9), true, 9'000, 5'000), UidStep::kTooDear);
}

TEST(RegistrationsUntilReplaced, FollowTheOrderOfPruning) {
  // Immortal, two past their immunity, one immune.
  const std::vector<PrunableNeuron> neurons{
      {0, 1, true}, {50, 2, false}, {10, 3, false}, {0, 99, false}};
  const auto until = registrations_until_replaced(neurons, 100, 20, 0, 0, 8);
  EXPECT_EQ(until[0], std::nullopt);
  EXPECT_EQ(until[2], 1u) << "the least emission of those past their immunity";
  EXPECT_EQ(until[1], 2u);
  EXPECT_EQ(until[3], 3u) << "then those that are immune, the oldest first";
  const auto later = registrations_until_replaced(neurons, 100, 20, 0, 2, 8);
  EXPECT_EQ(later[2], 3u) << "free places go first";
  EXPECT_EQ(registrations_until_replaced(neurons, 100, 20, 0, 2, 2)[2], std::nullopt);
  EXPECT_EQ(neuron_to_prune(neurons, 100, 20, 0), 2u);
}

}  // namespace
}  // namespace muster::chain
