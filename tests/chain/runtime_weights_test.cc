#include <gtest/gtest.h>

#include "chain/codec/commit_hash.h"
#include "chain/runtime/neurons.h"
#include "chain/runtime/weights.h"
#include "chain/yuma/mechanism.h"
#include "tests/chain/runtime_fixture.h"

namespace muster::chain::runtime {
namespace {

const SetWeights kBothMiners{kSubnet, {3, 4}, {100, 50}, 0};

// Permits are given by the first epoch.
Economy with_permits(Genesis genesis = small_genesis()) {
  Economy economy(genesis);
  economy.step(20);
  return economy;
}

Genesis commit_reveal_genesis() {
  Genesis genesis = small_genesis();
  genesis.subnets[0].parameters.commit_reveal = true;
  return genesis;
}

Hash hash_of(const AccountId& hotkey, const RevealWeights& reveal, MechanismId mechanism = 0) {
  return weights_commit_hash(hotkey, mechanism_index(reveal.netuid, mechanism), reveal.uids,
                             reveal.weights, reveal.salt, reveal.version_key);
}

TEST(SetWeights, StoresThemScaledToTheLargest) {
  Economy economy = with_permits();
  EXPECT_FALSE(economy.call(key(201), kBothMiners));
  const Row& row = economy.subnet().mechanisms[0].weights[1];
  EXPECT_EQ(row, (Row{{3, 65'535}, {4, 32'768}}));
  EXPECT_EQ(economy.subnet().mechanisms[0].last_update[1], economy.state().block);
}

TEST(SetWeights, NamesWhatIsWrongInUpstreamsOrder) {
  Economy economy = with_permits();
  const auto error = [&](const SetWeights& call) { return economy.call(key(201), call); };
  EXPECT_EQ(error({kRootNetuid, {3}, {1}, 0}), DispatchError::kCommitRevealEnabled);
  EXPECT_EQ(error({kSubnet, {3, 4}, {1}, 0}), DispatchError::kWeightVecNotEqualSize);
  EXPECT_EQ(error({kSubnet, {0, 1, 2, 3, 4, 4}, {1, 1, 1, 1, 1, 1}, 0}),
            DispatchError::kUidsLengthExceedUidsInSubNet);
  EXPECT_EQ(error({kSubnet, {3, 3}, {1, 1}, 0}), DispatchError::kDuplicateUids);
  EXPECT_EQ(error({kSubnet, {3, 9}, {1, 1}, 0}), DispatchError::kUidVecContainInvalidOne);
  EXPECT_EQ(economy.call(key(999), kBothMiners), DispatchError::kHotKeyNotRegisteredInSubNet);
  economy.subnet().parameters.min_allowed_weights = 3;
  EXPECT_EQ(error(kBothMiners), DispatchError::kWeightVecLengthIsLow);
  economy.subnet().parameters.weights_version_key = 7;
  EXPECT_EQ(error(kBothMiners), DispatchError::kIncorrectWeightVersionKey);
}

TEST(SetWeights, NeedsAPermitUnlessItIsTheOwnerOrOnlyOfOneself) {
  Economy economy = with_permits();
  EXPECT_EQ(economy.call(key(203), kBothMiners), DispatchError::kNeuronNoValidatorPermit);
  EXPECT_FALSE(economy.call(key(203), SetWeights{kSubnet, {3}, {1}, 0}));
  EXPECT_FALSE(economy.call(key(200), kBothMiners));
}

TEST(SetWeights, NeedsStakeUnlessItIsTheOwners) {
  Genesis genesis = small_genesis();
  genesis.network.stake_threshold = 1'500 * kTao;
  Economy economy = with_permits(genesis);
  EXPECT_EQ(economy.call(key(202), kBothMiners), DispatchError::kNotEnoughStakeToSetWeights);
  EXPECT_FALSE(economy.call(key(201), kBothMiners));
  EXPECT_FALSE(economy.call(key(200), kBothMiners));
}

TEST(SetWeights, ComesOnlySoOften) {
  Genesis genesis = small_genesis();
  genesis.subnets[0].parameters.weights_rate_limit_blocks = 5;
  Economy economy = with_permits(genesis);
  EXPECT_FALSE(economy.call(key(201), kBothMiners));
  economy.step(4);
  EXPECT_EQ(economy.call(key(201), kBothMiners), DispatchError::kSettingWeightsTooFast);
  economy.step();
  EXPECT_FALSE(economy.call(key(201), kBothMiners));
}

TEST(SetWeights, IsForSubnetsWithoutCommitReveal) {
  Economy economy = with_permits(commit_reveal_genesis());
  EXPECT_EQ(economy.call(key(201), kBothMiners), DispatchError::kCommitRevealEnabled);
}

TEST(RevealWeights, OneEpochAfterItsCommitSetsThem) {
  Economy economy = with_permits(commit_reveal_genesis());
  const RevealWeights reveal{kSubnet, {3, 4}, {9, 3}, {1, 2, 3}, 0};
  EXPECT_FALSE(economy.call(key(201), CommitWeights{kSubnet, hash_of(key(201), reveal)}));
  EXPECT_EQ(economy.call(key(201), reveal), DispatchError::kRevealTooEarly);
  economy.step(20);
  EXPECT_EQ(economy.call(key(202), reveal), DispatchError::kNoWeightsCommitFound);
  EXPECT_FALSE(economy.call(key(201), reveal));
  EXPECT_EQ(economy.subnet().mechanisms[0].weights[1].size(), 2u);
  EXPECT_TRUE(economy.subnet().mechanisms[0].commits.empty());
}

TEST(RevealWeights, WithOtherWeightsIsNoMatch) {
  Economy economy = with_permits(commit_reveal_genesis());
  const RevealWeights reveal{kSubnet, {3, 4}, {9, 3}, {1, 2, 3}, 0};
  EXPECT_FALSE(economy.call(key(201), CommitWeights{kSubnet, hash_of(key(201), reveal)}));
  economy.step(20);
  RevealWeights other = reveal;
  other.weights[0] = 8;
  EXPECT_EQ(economy.call(key(201), other), DispatchError::kInvalidRevealCommitHashNotMatch);
}

TEST(RevealWeights, TwoEpochsAfterItsCommitIsTooLate) {
  Economy economy = with_permits(commit_reveal_genesis());
  const RevealWeights reveal{kSubnet, {3, 4}, {9, 3}, {1, 2, 3}, 0};
  EXPECT_FALSE(economy.call(key(201), CommitWeights{kSubnet, hash_of(key(201), reveal)}));
  economy.step(40);
  EXPECT_EQ(economy.call(key(201), reveal), DispatchError::kExpiredWeightCommit);
}

TEST(RevealWeights, DropsOlderCommits) {
  Economy economy = with_permits(commit_reveal_genesis());
  const RevealWeights first{kSubnet, {3}, {9}, {1}, 0}, second{kSubnet, {4}, {9}, {2}, 0};
  EXPECT_FALSE(economy.call(key(201), CommitWeights{kSubnet, hash_of(key(201), first)}));
  economy.step(2);
  EXPECT_FALSE(economy.call(key(201), CommitWeights{kSubnet, hash_of(key(201), second)}));
  economy.step(18);
  EXPECT_FALSE(economy.call(key(201), second));
  EXPECT_EQ(economy.call(key(201), first), DispatchError::kNoWeightsCommitFound);
}

// Hotkeys 201 and 202 have ten TAO, and a commit costs one until it is revealed.
Genesis deposit_genesis() {
  Genesis genesis = commit_reveal_genesis();
  genesis.subnets[0].rules.commit_deposit_rao = kTao;
  genesis.balances.push_back({key(201), 10 * kTao});
  genesis.balances.push_back({key(202), 10 * kTao});
  return genesis;
}

TEST(CommitDeposit, IsTakenByTheCommitAndComesBackWithTheReveal) {
  Economy economy = with_permits(deposit_genesis());
  const RevealWeights reveal{kSubnet, {3, 4}, {9, 3}, {1, 2, 3}, 0};
  EXPECT_FALSE(economy.call(key(201), CommitWeights{kSubnet, hash_of(key(201), reveal)}));
  EXPECT_EQ(balance_of(economy.state(), key(201)), 9 * kTao);
  EXPECT_EQ(find_violations(economy.state()), std::vector<std::string>());
  economy.step(20);
  EXPECT_FALSE(economy.call(key(201), reveal));
  EXPECT_EQ(balance_of(economy.state(), key(201)), 10 * kTao);
  EXPECT_EQ(find_violations(economy.state()), std::vector<std::string>());
}

TEST(CommitDeposit, IsLostWithACommitThatIsNotRevealedInTime) {
  Economy economy = with_permits(deposit_genesis());
  const RevealWeights reveal{kSubnet, {3, 4}, {9, 3}, {1, 2, 3}, 0};
  EXPECT_FALSE(economy.call(key(201), CommitWeights{kSubnet, hash_of(key(201), reveal)}));
  economy.step(40);
  EXPECT_EQ(economy.call(key(201), reveal), DispatchError::kExpiredWeightCommit);
  EXPECT_EQ(balance_of(economy.state(), key(201)), 9 * kTao);
}

TEST(CommitDeposit, ComesBackOnceForTheCommitThatIsRevealed) {
  Economy economy = with_permits(deposit_genesis());
  const RevealWeights first{kSubnet, {3}, {9}, {1}, 0}, second{kSubnet, {4}, {9}, {2}, 0};
  EXPECT_FALSE(economy.call(key(201), CommitWeights{kSubnet, hash_of(key(201), first)}));
  economy.step(2);
  EXPECT_FALSE(economy.call(key(201), CommitWeights{kSubnet, hash_of(key(201), second)}));
  EXPECT_EQ(balance_of(economy.state(), key(201)), 8 * kTao);
  economy.step(18);
  EXPECT_FALSE(economy.call(key(201), second));
  EXPECT_EQ(balance_of(economy.state(), key(201)), 9 * kTao) << "the older commit was passed over";
}

TEST(CommitDeposit, NeedsABalance) {
  Genesis genesis = deposit_genesis();
  genesis.balances.pop_back();
  Economy economy = with_permits(genesis);
  EXPECT_EQ(economy.call(key(202), CommitWeights{kSubnet, Hash{}}),
            DispatchError::kInsufficientBalance);
}

TEST(CommitDeposit, IsTakenForATimelockedCommitToo) {
  Economy economy = with_permits(deposit_genesis());
  EXPECT_FALSE(
      economy.call(key(201), CommitTimelockedWeights{kSubnet, {{1, 2}}, 99, kCommitRevealVersion}));
  EXPECT_EQ(balance_of(economy.state(), key(201)), 9 * kTao);
}

TEST(CommitWeights, TenUnrevealedAreEnough) {
  Economy economy = with_permits(commit_reveal_genesis());
  for (std::uint8_t i = 0; i < 10; ++i) {
    EXPECT_FALSE(economy.call(key(201), CommitWeights{kSubnet, Hash{{i}}}));
    economy.step();
  }
  EXPECT_EQ(economy.call(key(201), CommitWeights{kSubnet, Hash{{11}}}),
            DispatchError::kTooManyUnrevealedCommits);
}

TEST(CommitWeights, IsForSubnetsWithCommitReveal) {
  Economy economy = with_permits();
  EXPECT_EQ(economy.call(key(201), CommitWeights{kSubnet, {}}),
            DispatchError::kCommitRevealDisabled);
  EXPECT_EQ(economy.call(key(201), CommitWeights{9, {}}), DispatchError::kMechanismDoesNotExist);
}

TEST(CommitTimelockedWeights, ExpiresUnopened) {
  Economy economy = with_permits(commit_reveal_genesis());
  EXPECT_FALSE(economy.call(key(201), CommitTimelockedWeights{kSubnet, {{1, 2, 3}}, 1000, 4}));
  EXPECT_EQ(economy.subnet().mechanisms[0].timelocked.size(), 1u);
  std::size_t expired = 0;
  for (int i = 0; i < 60; ++i) {
    economy.step();
    expired += economy.count<TimelockedExpired>();
  }
  EXPECT_EQ(expired, 1u);
  EXPECT_TRUE(economy.subnet().mechanisms[0].timelocked.empty());
}

TEST(CommitTimelockedWeights, KnowsOneVersion) {
  Economy economy = with_permits(commit_reveal_genesis());
  EXPECT_EQ(economy.call(key(201), CommitTimelockedWeights{kSubnet, {{1}}, 1000, 3}),
            DispatchError::kIncorrectCommitRevealVersion);
}

TEST(SetMechanismWeights, EachMechanismHasItsOwn) {
  Genesis genesis = small_genesis();
  genesis.subnets[0].parameters.uids_max = 128;
  Economy economy = with_permits(genesis);
  EXPECT_EQ(economy.call(key(201), SetMechanismWeights{kSubnet, 1, {3}, {1}, 0}),
            DispatchError::kMechanismDoesNotExist);
  EXPECT_FALSE(economy.call(key(100), SetMechanismCount{kSubnet, 2}));
  EXPECT_FALSE(economy.call(key(201), SetMechanismWeights{kSubnet, 1, {3}, {1}, 0}));
  EXPECT_TRUE(economy.subnet().mechanisms[0].weights[1].empty());
  EXPECT_EQ(economy.subnet().mechanisms[1].weights[1].size(), 1u);
}

TEST(CheckCall, KeepsHopelessWeightsOutOfBlocks) {
  Genesis genesis = commit_reveal_genesis();
  genesis.network.stake_threshold = 1'500 * kTao;
  Economy economy = with_permits(genesis);
  const RevealWeights reveal{kSubnet, {3, 4}, {9, 3}, {1, 2, 3}, 0};
  const State& state = economy.state();
  EXPECT_EQ(check_call(state, key(202), CommitWeights{kSubnet, {}}), Refusal::kStakeTooLow);
  EXPECT_EQ(check_call(state, key(201), reveal), Refusal::kCommitNotFound);
  EXPECT_FALSE(economy.call(key(201), CommitWeights{kSubnet, hash_of(key(201), reveal)}));
  EXPECT_EQ(check_call(state, key(201), reveal), Refusal::kRevealOutsideWindow);
  EXPECT_EQ(check_call(state, key(201), CommitWeights{kSubnet, {}}), Refusal::kRateLimited);
  economy.step(20);
  EXPECT_EQ(check_call(state, key(201), reveal), Refusal::kNone);
}

TEST(CheckCall, HasUpstreamsCodes) {
  EXPECT_EQ(custom_code_of(Refusal::kStakeTooLow), 1);
  EXPECT_EQ(custom_code_of(Refusal::kRateLimited), 6);
  EXPECT_EQ(custom_code_of(Refusal::kRevealOutsideWindow), 17);
  EXPECT_EQ(custom_code_of(Refusal::kStale), std::nullopt);
}

TEST(Free, AreTheCallsThatUpstreamDoesNotChargeFor) {
  for (std::size_t i = 0; i < kCallCount; ++i) {
    const CallId id = id_of(default_call(i));
    const bool expected = id.name.find("weights") != std::string_view::npos && id.pallet == 7;
    const std::set<std::string_view> others{"serve_axon", "increase_take", "decrease_take",
                                            "set_commitment"};
    EXPECT_EQ(is_free(default_call(i)), expected || others.contains(id.name)) << id.name;
  }
}

TEST(InheritedStake, MovesWithChildren) {
  Economy economy;
  Subnet& subnet = economy.subnet();
  const std::uint64_t own = subnet.stake_of(key(201)), others = subnet.stake_of(key(202));
  const std::uint64_t half = ~0ull / 2;
  subnet.families.children[key(201)] = {{half, key(202)}};
  subnet.families.parents[key(202)] = {{half, key(201)}};
  EXPECT_NEAR(static_cast<double>(inherited_alpha(subnet, key(201))), static_cast<double>(own) / 2,
              1'000.0);
  EXPECT_NEAR(static_cast<double>(inherited_alpha(subnet, key(202))),
              static_cast<double>(others + own / 2), 1'000.0);
  EXPECT_NEAR(static_cast<double>(inherited_root(economy.state(), subnet, key(202))),
              2'500.0 * kTao, 2'000.0);
}

}  // namespace
}  // namespace muster::chain::runtime
