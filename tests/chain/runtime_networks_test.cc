#include <gtest/gtest.h>

#include "chain/runtime/networks.h"
#include "chain/runtime/neurons.h"
#include "tests/chain/runtime_fixture.h"

namespace muster::chain::runtime {
namespace {

std::uint64_t balance(Economy& economy, std::uint16_t number) {
  return balance_of(economy.state(), key(number));
}

Genesis with_room_for(std::uint16_t subnets) {
  Genesis genesis = small_genesis();
  genesis.network.subnet_limit = subnets;
  genesis.network.network_rate_limit_blocks = 1;
  genesis.network.network_immunity_blocks = 10;
  return genesis;
}

TEST(RegisterNetwork, LocksItsCostAsThePool) {
  Economy economy;
  EXPECT_FALSE(economy.call(key(103), RegisterNetwork{key(300)}));
  const Subnet& subnet = economy.subnet(2);
  EXPECT_EQ(balance(economy, 103), 9'000 * kTao);
  EXPECT_EQ(subnet.economy.pool.tao_reserve, 1'000 * kTao);
  EXPECT_EQ(subnet.owner_coldkey, key(103));
  EXPECT_EQ(subnet.neurons.hotkeys, std::vector{key(300)});
  EXPECT_FALSE(subnet.emits());
  EXPECT_FALSE(subnet.parameters.emission_enabled);
  EXPECT_EQ(economy.count<NetworkAdded>(), 1u);
}

TEST(RegisterNetwork, GivesThePoolTheMedianPrice) {
  Genesis genesis = small_genesis();
  genesis.subnets[0].alpha_reserve = 4'000 * kTao;
  Economy economy(genesis);
  const U64F64 price = price_of(economy.state(), kSubnet);
  EXPECT_FALSE(economy.call(key(103), RegisterNetwork{key(300)}));
  EXPECT_EQ(economy.subnet(2).economy.pool.alpha_reserve,
            integer_from<std::uint64_t>(safe_div(fixed_from<U64F64>(1'000 * kTao), price)));
}

TEST(RegisterNetwork, CostsTwiceTheLastOneAndFallsWithTime) {
  Economy economy;
  EXPECT_EQ(network_lock_cost(economy.state()), 1'000 * kTao);
  EXPECT_FALSE(economy.call(key(103), RegisterNetwork{key(300)}));
  EXPECT_EQ(network_lock_cost(economy.state()), 2'000 * kTao);
  economy.step(100);
  EXPECT_EQ(network_lock_cost(economy.state()), 2'000 * kTao - 1'000 * kTao / (14 * 7'200) * 100);
}

TEST(RegisterNetwork, ComesOnlySoOften) {
  Economy economy;
  EXPECT_FALSE(economy.call(key(103), RegisterNetwork{key(300)}));
  EXPECT_EQ(economy.call(key(104), RegisterNetwork{key(301)}),
            DispatchError::kNetworkTxRateLimitExceeded);
}

TEST(RegisterNetwork, NeedsAHotkeyThatIsFreeOrItsOwn) {
  Economy economy;
  EXPECT_EQ(economy.call(key(103), RegisterNetwork{key(201)}),
            DispatchError::kNonAssociatedColdKey);
  EXPECT_EQ(economy.call(key(103), RegisterNetwork{subnet_account(1)}),
            DispatchError::kCannotUseSystemAccount);
}

TEST(RegisterNetwork, WithoutTheLockIsRefused) {
  Economy economy;
  EXPECT_FALSE(economy.call(key(103), TransferKeepAlive{{key(104)}, {9'001 * kTao}}));
  EXPECT_EQ(economy.call(key(103), RegisterNetwork{key(300)}),
            DispatchError::kCannotAffordLockCost);
}

TEST(RegisterNetwork, AtTheLimitAllImmuneMeansNo) {
  Economy economy(with_room_for(1));
  EXPECT_EQ(economy.call(key(103), RegisterNetwork{key(300)}), DispatchError::kSubnetLimitReached);
}

TEST(RegisterNetwork, AtTheLimitTakesThePlaceOfTheLowestPrice) {
  Economy economy(with_room_for(2));
  EXPECT_FALSE(economy.call(key(103), RegisterNetwork{key(300)}));
  economy.step(30);
  // The second one never started, so that its moving price is zero.
  EXPECT_EQ(network_to_prune(economy.state()), 2);
  EXPECT_FALSE(economy.call(key(104), RegisterNetwork{key(301)}));
  EXPECT_EQ(economy.subnet(2).owner_coldkey, key(104));
  EXPECT_EQ(economy.count<NetworkRemoved>(), 1u);
  EXPECT_TRUE(find_violations(economy.state()).empty());
}

TEST(DissolveNetwork, PaysThePoolToAlphaHoldersProRata) {
  Economy economy;
  const std::uint64_t pot = economy.subnet().economy.pool.tao_reserve;
  const std::uint64_t first = balance(economy, 101), second = balance(economy, 102);
  const std::uint64_t issuance = economy.state().issuance_rao;
  Journal journal;
  Events events;
  dissolve_network({economy.state(), journal, events, {}}, kSubnet);
  // Of 3000 alpha with stakers one has 2000; what the protocol holds of a subnet from the start
  // isn't its own but for what it bought.
  const double share = static_cast<double>(balance(economy, 101) - first) /
                       static_cast<double>(balance(economy, 102) - second);
  EXPECT_NEAR(share, 2.0, 1e-6);
  EXPECT_LE(balance(economy, 101) - first + balance(economy, 102) - second, pot);
  EXPECT_LE(economy.state().issuance_rao, issuance);
  EXPECT_FALSE(economy.state().exists(kSubnet));
  EXPECT_TRUE(find_violations(economy.state()).empty());
}

TEST(StartCall, IsTheOwnersAndOnce) {
  Economy economy;
  EXPECT_FALSE(economy.call(key(103), RegisterNetwork{key(300)}));
  EXPECT_EQ(economy.call(key(104), StartCall{2}), DispatchError::kBadOrigin);
  EXPECT_EQ(economy.call(key(103), StartCall{3}), DispatchError::kSubnetNotExists);
  EXPECT_FALSE(economy.call(key(103), StartCall{2}));
  EXPECT_TRUE(economy.subnet(2).emits());
  EXPECT_EQ(economy.subnet(2).first_emission_block, economy.state().block + 1);
  EXPECT_EQ(economy.call(key(103), StartCall{2}),
            DispatchError::kFirstEmissionBlockNumberAlreadySet);
}

TEST(BurnedRegister, PaysTheBurnThatThenRises) {
  Economy economy;
  const std::uint64_t burn = economy.subnet().economy.burn_rao;
  EXPECT_FALSE(economy.call(key(105), BurnedRegister{kSubnet, key(305)}));
  EXPECT_EQ(balance(economy, 105), 10'000 * kTao - burn);
  EXPECT_EQ(economy.subnet().neurons.uid_of(key(305)), 5);
  EXPECT_EQ(economy.subnet().economy.burn_rao,
            static_cast<std::uint64_t>(static_cast<double>(burn) * 1.26));
  EXPECT_EQ(economy.count<NeuronRegistered>(), 1u);
}

TEST(BurnedRegister, TheAlphaBoughtLeavesTheSupply) {
  Economy economy;
  const std::uint64_t out = economy.subnet().economy.alpha_out;
  EXPECT_FALSE(economy.call(key(105), BurnedRegister{kSubnet, key(305)}));
  EXPECT_EQ(economy.subnet().economy.alpha_out, out);
  EXPECT_GT(economy.subnet().economy.alpha_recycled, 0u);
}

TEST(BurnedRegister, NamesWhatIsWrong) {
  Economy economy;
  EXPECT_EQ(economy.call(key(105), BurnedRegister{kRootNetuid, key(305)}),
            DispatchError::kRegistrationNotPermittedOnRootSubnet);
  EXPECT_EQ(economy.call(key(105), BurnedRegister{9, key(305)}), DispatchError::kSubnetNotExists);
  EXPECT_EQ(economy.call(key(101), BurnedRegister{kSubnet, key(201)}),
            DispatchError::kHotKeyAlreadyRegisteredInSubNet);
  EXPECT_FALSE(economy.call(key(106), TryAssociateHotkey{key(306)}));
  EXPECT_EQ(economy.call(key(105), BurnedRegister{kSubnet, key(306)}),
            DispatchError::kNonAssociatedColdKey);
  EXPECT_EQ(economy.call(key(900), BurnedRegister{kSubnet, key(305)}),
            DispatchError::kNotEnoughBalanceToStake);
  economy.subnet().parameters.registration_allowed = false;
  EXPECT_EQ(economy.call(key(105), BurnedRegister{kSubnet, key(305)}),
            DispatchError::kSubNetRegistrationDisabled);
}

TEST(RegisterLimit, RefusesAPriceOverTheLimit) {
  Economy economy;
  const std::uint64_t burn = economy.subnet().economy.burn_rao;
  EXPECT_EQ(economy.call(key(105), RegisterLimit{kSubnet, key(305), burn - 1}),
            DispatchError::kRegistrationPriceLimitExceeded);
  EXPECT_FALSE(economy.call(key(105), RegisterLimit{kSubnet, key(305), burn}));
}

TEST(BurnedRegister, InAFullSubnetReplacesTheLowest) {
  Genesis genesis = small_genesis();
  genesis.subnets[0].parameters.uids_max = 5;
  genesis.subnets[0].parameters.immunity_period = 0;
  genesis.subnets[0].parameters.non_immune_uids_min = 0;
  Economy economy(genesis);
  economy.run_epochs();
  // Uids 1 and 2 validate and earn, 3 and 4 mine and earn; nobody has less than the owner, who
  // stays.
  const auto replaced = uid_to_replace(economy.state(), economy.subnet());
  ASSERT_TRUE(replaced);
  EXPECT_NE(*replaced, 0);
  const AccountId old = economy.subnet().neurons.hotkeys[*replaced];
  EXPECT_FALSE(economy.call(key(105), BurnedRegister{kSubnet, key(305)}));
  EXPECT_EQ(economy.subnet().neurons.uid_of(key(305)), replaced);
  EXPECT_FALSE(economy.subnet().neurons.uid_of(old));
  EXPECT_EQ(economy.subnet().neurons.count(), 5u);
}

TEST(ReplaceNeuron, ClearsWhatTheOldOneHad) {
  Economy economy;
  economy.run_epochs();
  Subnet& subnet = economy.subnet();
  ASSERT_FALSE(subnet.mechanisms[0].weights[1].empty());
  Journal journal;
  Events events;
  const Context context{economy.state(), journal, events, {}};
  replace_neuron(context, subnet, 3, key(400));
  EXPECT_EQ(subnet.mechanisms[0].weights[1][0].value, 0);  // of the column
  replace_neuron(context, subnet, 1, key(401));
  EXPECT_TRUE(subnet.mechanisms[0].weights[1].empty());
  EXPECT_TRUE(subnet.mechanisms[0].bonds[1].empty());
  EXPECT_FALSE(subnet.neurons.permits[1]);
  EXPECT_EQ(subnet.mechanisms[0].last_update[1], economy.state().block);
}

TEST(ReplaceNeuron, NeverTakesTheOwnersHotkey) {
  Economy economy;
  Journal journal;
  Events events;
  replace_neuron({economy.state(), journal, events, {}}, economy.subnet(), 0, key(400));
  EXPECT_EQ(economy.subnet().neurons.hotkeys[0], key(200));
}

TEST(Immortality, IsTheOwnersHotkeyThenItsOldestUpToTheLimit) {
  Economy economy;
  EXPECT_FALSE(economy.call(key(100), BurnedRegister{kSubnet, key(310)}));
  EXPECT_EQ(immortal_uids_of(economy.state(), economy.subnet()), std::vector<std::uint16_t>{0});
  economy.subnet().parameters.owner_immune_limit = 2;
  EXPECT_EQ(immortal_uids_of(economy.state(), economy.subnet()),
            (std::vector<std::uint16_t>{0, 5}));
}

TEST(RootRegister, TakesOneABlock) {
  Economy economy;
  EXPECT_FALSE(economy.call(key(102), RootRegister{key(202)}));
  EXPECT_EQ(economy.call(key(103), RootRegister{key(203)}),
            DispatchError::kTooManyRegistrationsThisBlock);
  economy.step();
  EXPECT_EQ(economy.call(key(102), RootRegister{key(202)}),
            DispatchError::kHotKeyAlreadyRegisteredInSubNet);
}

TEST(RootRegister, OfAFullRootGoesByStake) {
  Genesis genesis = small_genesis();
  genesis.network.root_uids_max = 1;
  Economy economy(genesis);
  EXPECT_EQ(economy.call(key(102), RootRegister{key(202)}), DispatchError::kStakeTooLowForRoot);
  EXPECT_FALSE(economy.call(key(102), AddStake{key(202), kRootNetuid, 6'000 * kTao}));
  EXPECT_FALSE(economy.call(key(102), RootRegister{key(202)}));
  EXPECT_EQ(economy.subnet(kRootNetuid).neurons.hotkeys, std::vector{key(202)});
}

TEST(RegisterNetwork, RootValidatorsBecomeParentsOfTheOwnersHotkey) {
  Economy economy;
  EXPECT_FALSE(economy.call(key(103), RegisterNetwork{key(300)}));
  const auto& parents = economy.subnet(2).families.parents;
  ASSERT_TRUE(parents.contains(key(300)));
  EXPECT_EQ(parents.at(key(300)), (Relations{{~0ull, key(201)}}));
}

TEST(RegisterNetwork, RootValidatorsMayOptOut) {
  Economy economy;
  EXPECT_FALSE(economy.call(key(101), SetAutoParentDelegation{key(201), false}));
  EXPECT_FALSE(economy.call(key(103), RegisterNetwork{key(300)}));
  EXPECT_TRUE(economy.subnet(2).families.parents.empty());
}

}  // namespace
}  // namespace muster::chain::runtime
