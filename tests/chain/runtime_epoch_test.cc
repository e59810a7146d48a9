#include <gtest/gtest.h>

#include "chain/economy/burn_price.h"
#include "chain/economy/injection.h"
#include "chain/runtime/block_step.h"
#include "chain/runtime/payout.h"
#include "chain/runtime/root_claims.h"
#include "tests/chain/runtime_fixture.h"

namespace muster::chain::runtime {
namespace {

Genesis two_subnets() {
  Genesis genesis = small_genesis();
  GenesisSubnet other = genesis.subnets[0];
  other.netuid = 2;
  other.owner_hotkey = key(250);
  other.neurons.clear();
  other.stakes.clear();
  genesis.subnets.push_back(other);
  return genesis;
}

TEST(BlockStep, MintsABlocksEmissionWhileAnySubnetEmits) {
  Economy economy;
  economy.subnet().economy.moving_price = I96F32::one();
  const std::uint64_t before = economy.state().issuance_rao;
  economy.step();
  // Rounded down per subnet and per part of it.
  EXPECT_LE(economy.state().issuance_rao, before + kTao);
  EXPECT_GE(economy.state().issuance_rao, before + kTao - 3);
}

TEST(BlockStep, MintsNothingForSubnetsThatHaveNotStarted) {
  Genesis genesis = small_genesis();
  genesis.subnets[0].started = false;
  Economy economy(genesis);
  const std::uint64_t before = economy.state().issuance_rao;
  economy.step(50);
  EXPECT_EQ(economy.state().issuance_rao, before);
  EXPECT_EQ(economy.subnet().economy.alpha_out, 3'000 * kTao);
}

TEST(BlockStep, SubnetsWithoutEmissionLeaveTheirShareToOthers) {
  Economy economy(two_subnets());
  economy.subnet(1).economy.moving_price = economy.subnet(2).economy.moving_price = I96F32::one();
  economy.subnet(2).parameters.emission_enabled = false;
  economy.step();
  EXPECT_EQ(economy.subnet(2).economy.tao_in_emission + economy.subnet(2).economy.excess_tao, 0u);
  EXPECT_EQ(economy.subnet(2).economy.alpha_out_emission, kTao);
  const SubnetEconomy& enabled = economy.subnet(1).economy;
  EXPECT_NEAR(static_cast<double>(enabled.tao_in_emission + enabled.excess_tao), 1.0 * kTao, 2.0);
}

TEST(BlockStep, AnInjectionKeepsThePrice) {
  Genesis genesis = small_genesis();
  genesis.network.tao_weight = ~0ull;  // all of the emission is injected
  genesis.root_stakes[0].amount = 1'000'000 * kTao;
  Economy economy(genesis);
  economy.subnet().economy.moving_price = I96F32::one();
  economy.step();
  const U64F64 before = price_of(economy.state(), kSubnet);
  economy.step();
  EXPECT_GT(economy.subnet().economy.tao_in_emission, 0u);
  const U64F64 after = price_of(economy.state(), kSubnet);
  const double change = static_cast<double>(after.bits) / static_cast<double>(before.bits) - 1.0;
  EXPECT_NEAR(change, 0.0, 2e-5);
}

TEST(BlockStep, WhatIsTooMuchToInjectBuysAlphaForTheProtocol) {
  Economy economy;
  economy.subnet().economy.moving_price = I96F32::one();
  const U64F64 before = price_of(economy.state(), kSubnet);
  economy.step();
  EXPECT_GT(economy.subnet().economy.excess_tao, kTao / 2);
  EXPECT_GT(economy.subnet().economy.protocol_alpha, 0u);
  EXPECT_GT(price_of(economy.state(), kSubnet), before);
}

TEST(BlockStep, ABlocksAlphaWaitsInItsParts) {
  Economy economy;
  const SubnetEconomy before = economy.subnet().economy;
  economy.step();
  const SubnetEconomy& after = economy.subnet().economy;
  EXPECT_EQ(after.alpha_out_emission, kTao);
  EXPECT_NEAR(static_cast<double>(after.pending_owner - before.pending_owner), 0.18 * kTao,
              0.0001 * kTao);
  EXPECT_NEAR(static_cast<double>(after.pending_server - before.pending_server), 0.41 * kTao,
              0.0001 * kTao);
  // The sum of moving prices is below one: root's alpha is recycled.
  EXPECT_EQ(after.pending_root, 0u);
  EXPECT_GT(after.alpha_recycled, before.alpha_recycled);
}

TEST(BlockStep, RootAlphaIsPaidOnceMovingPricesSumToMoreThanOne) {
  Economy economy(two_subnets());
  economy.subnet(1).economy.moving_price = economy.subnet(2).economy.moving_price = I96F32::one();
  economy.step();
  EXPECT_GT(economy.subnet(1).economy.pending_root, 0u);
}

TEST(BlockStep, RegistrationPricesHalveInTheirHalfLife) {
  Economy economy;
  const std::uint64_t before = economy.subnet().economy.burn_rao;
  economy.step(360);
  EXPECT_NEAR(static_cast<double>(economy.subnet().economy.burn_rao),
              static_cast<double>(before) / 2, 1'000.0);
}

TEST(BlockStep, TheMovingPriceFollowsSlowly) {
  Economy economy;
  economy.step(100);
  const I96F32 price = economy.subnet().economy.moving_price;
  EXPECT_GT(price, I96F32::zero());
  EXPECT_LT(price, I96F32::from_bits(1 << 24));
}

TEST(Epoch, RunsEveryTempo) {
  Economy economy;
  std::vector<std::uint64_t> blocks;
  for (int i = 0; i < 70; ++i) {
    economy.step();
    if (economy.count<EpochRan>() > 0) blocks.push_back(economy.state().block);
  }
  EXPECT_EQ(blocks, (std::vector<std::uint64_t>{20, 40, 60}));
  EXPECT_EQ(economy.subnet().schedule.epoch_index, 3u);
}

TEST(Epoch, AtMostTwoRunInOneBlock) {
  Genesis genesis = small_genesis();
  for (Netuid netuid = 2; netuid < 6; ++netuid) {
    GenesisSubnet other = genesis.subnets[0];
    other.netuid = netuid;
    other.owner_hotkey = key(static_cast<std::uint16_t>(250 + netuid));
    other.neurons.clear();
    other.stakes.clear();
    genesis.subnets.push_back(other);
  }
  Economy economy(genesis);
  economy.step(18);
  std::vector<std::size_t> per_block;
  for (int i = 0; i < 4; ++i) {
    economy.step();
    per_block.push_back(economy.count<EpochRan>());
  }
  EXPECT_EQ(per_block, (std::vector<std::size_t>{2, 2, 1, 0}));
}

TEST(Epoch, GivesPermitsFirstAndIncentivesOnceThereAreWeights) {
  Economy economy;
  economy.step(20);
  EXPECT_EQ(economy.subnet().neurons.permits, (std::vector<bool>{true, true, true, false, false}));
  EXPECT_EQ(economy.subnet().mechanisms[0].incentive[3], 0);
  EXPECT_FALSE(economy.call(key(201), SetWeights{kSubnet, {3, 4}, {2, 1}, 0}));
  EXPECT_FALSE(economy.call(key(202), SetWeights{kSubnet, {3, 4}, {2, 1}, 0}));
  economy.step(20);
  const auto& incentive = economy.subnet().mechanisms[0].incentive;
  EXPECT_NEAR(incentive[3], 65'535 * 2 / 3, 2);
  EXPECT_NEAR(incentive[4], 65'535 / 3, 2);
}

TEST(Epoch, PaysMinersOwnersByTheirIncentive) {
  Economy economy;
  economy.run_epochs();
  const std::uint64_t first = stake_of(economy.state(), key(203), key(103), kSubnet);
  const std::uint64_t second = stake_of(economy.state(), key(204), key(104), kSubnet);
  EXPECT_NEAR(static_cast<double>(first) / static_cast<double>(second), 2.0, 0.001);
  // Half of what the epoch divided.
  EXPECT_NEAR(static_cast<double>(first + second), static_cast<double>(economy.last_epoch()) / 2,
              10.0);
}

TEST(Epoch, WithoutIncentivesValidatorsHaveTheMinersPart) {
  Economy economy;
  const std::uint64_t before =
      economy.subnet().stake_of(key(201)) + economy.subnet().stake_of(key(202));
  economy.step(18);
  const std::uint64_t pending =
      economy.subnet().economy.pending_server + economy.subnet().economy.pending_validator;
  economy.step();
  const std::uint64_t after =
      economy.subnet().stake_of(key(201)) + economy.subnet().stake_of(key(202));
  EXPECT_GT(after - before, pending * 99 / 100);
}

TEST(Epoch, WithoutIncentivesTheMinersPartIsRecycledWhereTheGenesisSaysSo) {
  Genesis genesis = small_genesis();
  Economy paid(genesis);
  genesis.subnets[0].rules.recycle_unearned = true;
  Economy recycled(genesis);
  const auto run = [](Economy& economy) {
    economy.step(18);
    const PendingAlpha pending{economy.subnet().economy.pending_server,
                               economy.subnet().economy.pending_validator, 0, 0};
    economy.step(2);
    return pending;
  };
  (void)run(paid);
  const std::uint64_t unearned = run(recycled).server;
  ASSERT_GT(unearned, 0u);
  EXPECT_GE(recycled.subnet().economy.alpha_recycled - paid.subnet().economy.alpha_recycled,
            unearned)
      << "and what the last two blocks added";
  EXPECT_LT(recycled.subnet().stake_of(key(201)), paid.subnet().stake_of(key(201)));
  EXPECT_EQ(find_violations(recycled.state()), std::vector<std::string>());
}

TEST(Epoch, RecyclesNothingWhileAMinerEarns) {
  Genesis genesis = small_genesis();
  Economy paid(genesis);
  genesis.subnets[0].rules.recycle_unearned = true;
  Economy recycled(genesis);
  const auto recycled_once_miners_earn = [](Economy& economy) {
    economy.run_epochs();
    const std::uint64_t before = economy.subnet().economy.alpha_recycled;
    economy.step(20);
    EXPECT_GT(economy.subnet().stake_of(key(203)), 0u);
    return economy.subnet().economy.alpha_recycled - before;
  };
  const std::uint64_t anyway = recycled_once_miners_earn(paid);
  // Of slightly other amounts: the pool and the root proportion differ by what was recycled before.
  EXPECT_NEAR(static_cast<double>(recycled_once_miners_earn(recycled)), static_cast<double>(anyway),
              0.05 * kTao);
}

TEST(Epoch, TheTakeIsTheHotkeysOwnersAndTheRestItsStakers) {
  Economy economy;
  EXPECT_FALSE(economy.call(key(105), AddStake{key(202), kSubnet, 300 * kTao}));
  const std::uint64_t staker = stake_of(economy.state(), key(202), key(105), kSubnet);
  const std::uint64_t owner = stake_of(economy.state(), key(202), key(102), kSubnet);
  economy.run_epochs();
  const double gained_by_staker =
      static_cast<double>(stake_of(economy.state(), key(202), key(105), kSubnet) - staker);
  const double gained_by_owner =
      static_cast<double>(stake_of(economy.state(), key(202), key(102), kSubnet) - owner);
  const double take = 11'796.0 / 65'535;
  const double whole = gained_by_staker + gained_by_owner;
  const double share = static_cast<double>(staker) / static_cast<double>(staker + owner);
  EXPECT_NEAR(gained_by_staker / whole, (1 - take) * share, 0.005);
}

TEST(Epoch, TheOwnersCutIsStakedBehindItsHotkey) {
  Economy economy;
  economy.step(18);
  const std::uint64_t pending = economy.subnet().economy.pending_owner;
  EXPECT_EQ(stake_of(economy.state(), key(200), key(100), kSubnet), 0u);
  economy.step();
  EXPECT_GE(stake_of(economy.state(), key(200), key(100), kSubnet), pending);
}

TEST(Epoch, IncentiveForTheOwnersHotkeyIsBurnedAndLowersItsEmission) {
  Economy economy;
  economy.step(20);
  for (const std::uint16_t validator :
       std::initializer_list<std::uint16_t>{std::uint16_t{201}, std::uint16_t{202}})
    EXPECT_FALSE(economy.call(key(validator), SetWeights{kSubnet, {0, 3}, {1, 1}, 0}));
  economy.step(20);
  EXPECT_GT(economy.subnet().economy.alpha_burned, 0u);
  EXPECT_NEAR(static_cast<double>(economy.subnet().economy.miner_burned.bits), 0x1p31, 0x1p20);
}

TEST(Epoch, IncentiveForTheOwnersHotkeyIsRecycledIfItWantsThat) {
  Economy economy;
  economy.subnet().parameters.owner_incentive = OwnerIncentive::kRecycle;
  economy.step(20);
  EXPECT_FALSE(economy.call(key(201), SetWeights{kSubnet, {0, 3}, {1, 1}, 0}));
  const std::uint64_t before = economy.subnet().economy.alpha_recycled;
  economy.step(20);
  EXPECT_EQ(economy.subnet().economy.alpha_burned, 0u);
  EXPECT_GT(economy.subnet().economy.alpha_recycled, before + kTao);
}

TEST(Epoch, MiningRewardsGoWhereTheColdkeyWantsThem) {
  Economy economy;
  EXPECT_FALSE(economy.call(key(103), SetAutoStakeHotkey{kSubnet, key(201)}));
  EXPECT_EQ(economy.call(key(103), SetAutoStakeHotkey{kSubnet, key(201)}),
            DispatchError::kSameAutoStakeHotkeyAlreadySet);
  economy.run_epochs();
  EXPECT_EQ(stake_of(economy.state(), key(203), key(103), kSubnet), 0u);
  EXPECT_GT(stake_of(economy.state(), key(201), key(103), kSubnet), kTao);
}

TEST(Epoch, MechanismsDivideTheEmissionByTheirSplit) {
  Genesis genesis = small_genesis();
  genesis.subnets[0].parameters.uids_max = 100;
  genesis.network.admin_freeze_blocks = 0;
  Economy economy(genesis);
  EXPECT_FALSE(economy.call(key(100), SetMechanismCount{kSubnet, 2}));
  EXPECT_FALSE(economy.call(
      key(100), SetMechanismSplit{kSubnet, std::vector<std::uint16_t>{16'384, 49'151}}));
  economy.step(20);
  for (const std::uint16_t validator :
       std::initializer_list<std::uint16_t>{std::uint16_t{201}, std::uint16_t{202}}) {
    EXPECT_FALSE(economy.call(key(validator), SetMechanismWeights{kSubnet, 0, {3}, {1}, 0}));
    EXPECT_FALSE(economy.call(key(validator), SetMechanismWeights{kSubnet, 1, {4}, {1}, 0}));
  }
  economy.step(20);
  const double first = static_cast<double>(stake_of(economy.state(), key(203), kSubnet));
  const double second = static_cast<double>(stake_of(economy.state(), key(204), kSubnet));
  EXPECT_NEAR(first / (first + second), 0.25, 0.01);
}

TEST(Epoch, AMinerThatRegistersInBetweenIsPaidFromTheNextOne) {
  Economy economy;
  economy.step(20);
  EXPECT_FALSE(economy.call(key(201), SetWeights{kSubnet, {3}, {1}, 0}));
  economy.step(5);
  EXPECT_FALSE(economy.call(key(105), BurnedRegister{kSubnet, key(305)}));
  economy.step(15);
  EXPECT_EQ(stake_of(economy.state(), key(305), kSubnet), 0u);
}

TEST(RootClaims, RootStakersAreOwedTheirPartOfEverySubnetsAlpha) {
  Economy economy(two_subnets());
  economy.state().network.tao_weight = 3'320'413'933'267'719'290;
  economy.state().network.root_claims_per_block = 0;
  economy.state().network.root_claim_threshold = 1'000;
  economy.subnet(1).economy.moving_price = economy.subnet(2).economy.moving_price = I96F32::one();
  economy.run_epochs();
  const std::uint64_t owed = root_owed(economy.state(), key(201), key(101), kSubnet);
  ASSERT_GT(owed, 1'000u);
  const std::uint64_t before = stake_of(economy.state(), key(201), key(101), kRootNetuid);
  EXPECT_FALSE(economy.call(key(101), ClaimRoot{{kSubnet}}));
  EXPECT_GT(stake_of(economy.state(), key(201), key(101), kRootNetuid), before);
  EXPECT_LE(root_owed(economy.state(), key(201), key(101), kSubnet), 1u);
  EXPECT_TRUE(find_violations(economy.state()).empty());
}

TEST(RootClaims, MayBeKeptAsAlpha) {
  Economy economy(two_subnets());
  economy.state().network.tao_weight = 3'320'413'933'267'719'290;
  economy.state().network.root_claims_per_block = 0;
  economy.state().network.root_claim_threshold = 1'000;
  economy.subnet(1).economy.moving_price = economy.subnet(2).economy.moving_price = I96F32::one();
  EXPECT_FALSE(economy.call(key(101), SetRootClaimType{{RootClaimType::Kind::kKeep, {}}}));
  economy.run_epochs();
  const std::uint64_t owed = root_owed(economy.state(), key(201), key(101), kSubnet);
  const std::uint64_t alpha = stake_of(economy.state(), key(201), key(101), kSubnet);
  const std::uint64_t root = stake_of(economy.state(), key(201), key(101), kRootNetuid);
  EXPECT_FALSE(economy.call(key(101), ClaimRoot{{kSubnet}}));
  EXPECT_NEAR(static_cast<double>(stake_of(economy.state(), key(201), key(101), kSubnet)),
              static_cast<double>(alpha + owed), 2.0);
  EXPECT_EQ(stake_of(economy.state(), key(201), key(101), kRootNetuid), root);
}

TEST(RootClaims, NewRootStakeHasNoClaimToWhatWasBefore) {
  Economy economy(two_subnets());
  economy.state().network.tao_weight = 3'320'413'933'267'719'290;
  economy.state().network.root_claims_per_block = 0;
  economy.subnet(1).economy.moving_price = economy.subnet(2).economy.moving_price = I96F32::one();
  economy.run_epochs();
  EXPECT_FALSE(economy.call(key(104), AddStake{key(201), kRootNetuid, 1'000 * kTao}));
  EXPECT_EQ(root_owed(economy.state(), key(201), key(104), kSubnet), 0u);
}

TEST(RootClaims, ComeByThemselvesInTime) {
  Economy economy(two_subnets());
  economy.state().network.tao_weight = 3'320'413'933'267'719'290;
  economy.state().network.root_claim_threshold = 1'000;
  economy.subnet(1).economy.moving_price = economy.subnet(2).economy.moving_price = I96F32::one();
  const std::uint64_t before = stake_of(economy.state(), key(201), key(101), kRootNetuid);
  economy.run_epochs();
  EXPECT_GT(stake_of(economy.state(), key(201), key(101), kRootNetuid), before);
}

TEST(RootClaims, NameAtMostFiveSubnets) {
  Economy economy;
  EXPECT_EQ(economy.call(key(101), ClaimRoot{{}}), DispatchError::kInvalidSubnetNumber);
  EXPECT_EQ(economy.call(key(101), ClaimRoot{{1, 2, 3, 4, 5, 6}}),
            DispatchError::kInvalidSubnetNumber);
  EXPECT_EQ(economy.call(key(101), SetRootClaimType{{RootClaimType::Kind::kKeepSubnets, {}}}),
            DispatchError::kInvalidSubnetNumber);
}

TEST(EpochInput, HasTheEarliestOpenCommitOfEach) {
  Genesis genesis = small_genesis();
  genesis.subnets[0].parameters.commit_reveal = true;
  Economy economy(genesis);
  economy.step(2);
  EXPECT_FALSE(economy.call(key(201), CommitWeights{kSubnet, Hash{{1}}}));
  const std::uint64_t first = economy.state().block;
  economy.step(2);
  EXPECT_FALSE(economy.call(key(201), CommitWeights{kSubnet, Hash{{2}}}));
  const EpochInput input = epoch_input_of(economy.state(), kSubnet, 0, kTao);
  EXPECT_EQ(input.commit_block[1], first);
  EXPECT_EQ(input.commit_block[2], kNoCommit);
  EXPECT_EQ(input.owner_uid, 0);
}

}  // namespace
}  // namespace muster::chain::runtime
