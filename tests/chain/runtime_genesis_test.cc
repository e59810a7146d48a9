#include <gtest/gtest.h>

#include "chain/runtime/genesis.h"
#include "chain/runtime/profile.h"
#include "tests/chain/runtime_fixture.h"

namespace muster::chain::runtime {
namespace {

std::string refusal_of(const Genesis& genesis) {
  const Status status = validate(genesis);
  return status ? "" : status.error().message;
}

TEST(Genesis, IsValidAsItStands) {
  EXPECT_EQ(refusal_of(Genesis{}), "");
  EXPECT_EQ(refusal_of(small_genesis()), "");
}

TEST(Genesis, NamesTheFieldThatIsWrong) {
  const auto with = [](const auto& change) {
    Genesis genesis = small_genesis();
    change(genesis);
    return refusal_of(genesis);
  };
  const auto starts = [](const std::string& text, const char* prefix) {
    return text.starts_with(prefix);
  };
  EXPECT_TRUE(starts(with([](Genesis& g) { g.name = ""; }), "ledger.name"));
  EXPECT_TRUE(starts(with([](Genesis& g) { g.block_ms = 1; }), "ledger.block_ms"));
  EXPECT_TRUE(starts(with([](Genesis& g) { g.network.subnet_limit = 0; }), "ledger.subnet_limit"));
  EXPECT_TRUE(
      starts(with([](Genesis& g) { g.balances.push_back(g.balances[0]); }), "ledger.balances"));
  EXPECT_TRUE(starts(with([](Genesis& g) { g.balances[0].rao = 1; }), "ledger.balances"));
  EXPECT_TRUE(
      starts(with([](Genesis& g) { g.balances[0].rao = kIssuanceMax; }), "ledger.balances"));
  EXPECT_TRUE(starts(with([](Genesis& g) { g.subnets[0].netuid = 0; }), "ledger.subnet.netuid"));
  EXPECT_TRUE(
      starts(with([](Genesis& g) { g.subnets.push_back(g.subnets[0]); }), "ledger.subnet.netuid"));
  EXPECT_TRUE(starts(with([](Genesis& g) { g.subnets[0].tao_reserve = 1; }),
                     "ledger.subnet 1.tao_reserve"));
  EXPECT_TRUE(
      starts(with([](Genesis& g) { g.subnets[0].parameters.tempo = 0; }), "ledger.subnet 1.tempo"));
  EXPECT_TRUE(starts(with([](Genesis& g) { g.subnets[0].neurons[0].hotkey = key(200); }),
                     "ledger.subnet 1.neurons"));
  EXPECT_TRUE(starts(with([](Genesis& g) { g.root_neurons[0].coldkey = key(105); }),
                     "ledger.subnet 1.neurons"));
  EXPECT_TRUE(starts(with([](Genesis& g) { g.subnets[0].stakes[0].amount = kIssuanceMax; }),
                     "ledger.subnet 1.stakes"));
}

TEST(Genesis, AHotkeysOwnerIsWhoRegisteredItNotWhoStakesFirst) {
  Genesis genesis = small_genesis();
  genesis.root_stakes.insert(genesis.root_stakes.begin(), {key(107), key(202), kTao});
  EXPECT_EQ(owner_of(make_state(genesis), key(202)), key(102));
  genesis.root_stakes.push_back({key(107), key(999), kTao});
  EXPECT_TRUE(refusal_of(genesis).starts_with("ledger.root_stakes"));
}

std::vector<bool> permits_of(const Genesis& genesis) {
  return make_state(genesis).subnets.at(kSubnet).neurons.permits;
}

TEST(FirstPermits, AreThoseThatTheFirstEpochWouldGive) {
  Genesis genesis = small_genesis();
  EXPECT_EQ(permits_of(genesis), std::vector<bool>(5)) << "none, as on Subtensor";
  Economy economy(genesis);
  economy.step(20);
  genesis.subnets[0].first_permits = true;
  EXPECT_EQ(permits_of(genesis), economy.subnet().neurons.permits);
  EXPECT_EQ(permits_of(genesis), (std::vector<bool>{true, true, true, false, false}))
      << "the owner's and those of the two with stake";
}

TEST(FirstPermits, GoToTheLargestStakesOfAtLeastTheThreshold) {
  Genesis genesis = small_genesis();
  genesis.subnets[0].first_permits = true;
  genesis.subnets[0].parameters.validators_max = 1;
  EXPECT_EQ(permits_of(genesis), (std::vector<bool>{true, true, false, false, false}));
  genesis.network.stake_threshold = 1'000'000 * kTao;
  EXPECT_EQ(permits_of(genesis), (std::vector<bool>{true, false, false, false, false}));
}

TEST(FirstPermits, LetWeightsBeSetInTheFirstBlock) {
  Genesis genesis = small_genesis();
  const SetWeights weights{kSubnet, {3, 4}, {100, 50}, 0};
  EXPECT_EQ(Economy(genesis).call(key(201), weights), DispatchError::kNeuronNoValidatorPermit);
  genesis.subnets[0].first_permits = true;
  EXPECT_FALSE(Economy(genesis).call(key(201), weights));
}

TEST(Genesis, AnyDifferenceIsAnotherLedger) {
  Genesis other = small_genesis();
  EXPECT_EQ(genesis_hash(other), genesis_hash(small_genesis()));
  other.balances[1].rao += 1;
  EXPECT_NE(genesis_hash(other), genesis_hash(small_genesis()));
}

TEST(Genesis, MakesASoundState) {
  const State state = make_state(small_genesis());
  EXPECT_TRUE(find_violations(state).empty());
  EXPECT_EQ(state.block, 0u);
  EXPECT_EQ(state.subnets.size(), 2u);
  const Subnet& subnet = state.subnets.at(kSubnet);
  EXPECT_EQ(subnet.neurons.uid_of(key(200)), 0);
  EXPECT_EQ(subnet.neurons.uid_of(key(204)), 4);
  EXPECT_EQ(subnet.stake_of(key(201)), 2'000 * kTao);
  EXPECT_TRUE(subnet.emits());
  EXPECT_EQ(stake_of(state, key(201), key(101), kRootNetuid), 5'000 * kTao);
  EXPECT_EQ(balance_of(state, subnet_account(kRootNetuid)), 5'000 * kTao);
}

TEST(NewSubnetParameters, AreUpstreams) {
  const SubnetParameters parameters;
  EXPECT_EQ(parameters.tempo, 360);
  EXPECT_EQ(parameters.uids_max, 256);
  EXPECT_EQ(parameters.validators_max, 64);
  EXPECT_EQ(parameters.burn_increase.bits,
            static_cast<Uint128>(1.26 * 0x1p62) << 2);  // the double, exactly
  EXPECT_EQ(NetworkParameters{}.tao_weight, 971'718'665'099'567'868u);
}

// ---- what keys tell of themselves

TEST(ServeAxon, IsKeptWithItsBlock) {
  Economy economy;
  const ServeAxon call{kSubnet, 1, 3'405'803'785, 8'091, 4, 4, 0, 0};
  EXPECT_FALSE(economy.call(key(203), call));
  EXPECT_EQ(economy.subnet().axons.at(key(203)).port, 8'091);
  EXPECT_EQ(economy.subnet().axons.at(key(203)).block, economy.state().block);
  EXPECT_EQ(economy.call(key(203), call), DispatchError::kServingRateLimitExceeded);
  economy.step(50);
  EXPECT_FALSE(economy.call(key(203), call));
}

TEST(ServeAxon, NamesWhatIsWrong) {
  Economy economy;
  const ServeAxon good{kSubnet, 1, 3'405'803'785, 8'091, 4, 4, 0, 0};
  const auto error = [&](const auto& change) {
    ServeAxon call = good;
    change(call);
    return check_axon(economy.state(), key(203), call);
  };
  EXPECT_EQ(check_axon(economy.state(), key(999), good),
            DispatchError::kHotKeyNotRegisteredInNetwork);
  EXPECT_EQ(error([](ServeAxon& a) { a.ip_type = 5; }), DispatchError::kInvalidIpType);
  EXPECT_EQ(error([](ServeAxon& a) { a.ip = 0x7f00'0001; }), DispatchError::kInvalidIpAddress);
  EXPECT_EQ(error([](ServeAxon& a) { a.ip = Uint128{1} << 40; }), DispatchError::kInvalidIpAddress);
  EXPECT_EQ(error([](ServeAxon& a) { a.ip_type = 6, a.ip = 1; }), DispatchError::kInvalidIpAddress);
  EXPECT_EQ(error([](ServeAxon& a) { a.port = 0; }), DispatchError::kInvalidPort);
}

TEST(Takes, OnlyRiseSlowly) {
  Economy economy;
  EXPECT_FALSE(economy.call(key(101), DecreaseTake{key(201), 1'000}));
  EXPECT_EQ(economy.call(key(101), DecreaseTake{key(201), 1'000}),
            DispatchError::kDelegateTakeTooLow);
  EXPECT_EQ(economy.call(key(101), IncreaseTake{key(201), 2'000}),
            DispatchError::kDelegateTxRateLimitExceeded);
  economy.state().block += 216'001;
  EXPECT_EQ(economy.call(key(101), IncreaseTake{key(201), 1'000}),
            DispatchError::kDelegateTakeTooLow);
  EXPECT_EQ(economy.call(key(101), IncreaseTake{key(201), 11'797}),
            DispatchError::kDelegateTakeTooHigh);
  EXPECT_FALSE(economy.call(key(101), IncreaseTake{key(201), 11'796}));
  EXPECT_EQ(take_of(economy.state(), key(201)), 11'796);
}

TEST(Takes, AreTheOwningColdkeys) {
  Economy economy;
  EXPECT_EQ(economy.call(key(102), DecreaseTake{key(201), 1}),
            DispatchError::kNonAssociatedColdKey);
  EXPECT_EQ(economy.call(key(102), DecreaseTake{key(999), 1}),
            DispatchError::kHotKeyAccountNotExists);
}

TEST(SetCommitment, CountsItsBytesPerEpoch) {
  Economy economy;
  const SetCommitment call{kSubnet, {CommitmentData::raw(Bytes(500, 1))}};
  EXPECT_EQ(economy.call(key(999), call), DispatchError::kAccountNotAllowedCommit);
  for (int i = 0; i < 6; ++i) EXPECT_FALSE(economy.call(key(203), call));
  EXPECT_FALSE(economy.call(key(203), SetCommitment{kSubnet, {}}));  // counts a hundred
  EXPECT_EQ(economy.call(key(203), SetCommitment{kSubnet, {}}), DispatchError::kSpaceLimitExceeded);
  economy.step(20);
  EXPECT_FALSE(economy.call(key(203), call));
  EXPECT_EQ(economy.subnet().commitments.at(key(203)).data, call.data);
}

TEST(SetCommitment, HasAtMostThreeFields) {
  Economy economy;
  EXPECT_EQ(economy.call(key(203), SetCommitment{kSubnet, std::vector<CommitmentData>(4)}),
            DispatchError::kTooManyFieldsInCommitmentInfo);
}

TEST(SetCommitment, ResetsBondsWhereTheOwnerAllowsIt) {
  Economy economy;
  economy.run_epochs();
  const auto bonds = [&] { return economy.subnet().mechanisms[0].bonds[1].size(); };
  const std::size_t before = bonds();
  ASSERT_GT(before, 0u);
  CommitmentData reset;
  reset.kind = CommitmentData::Kind::kResetBonds;
  EXPECT_FALSE(economy.call(key(203), SetCommitment{kSubnet, {reset}}));
  EXPECT_EQ(bonds(), before);
  economy.subnet().parameters.bonds_reset = true;
  EXPECT_FALSE(economy.call(key(203), SetCommitment{kSubnet, {reset}}));
  EXPECT_EQ(bonds(), before - 1);
}

// ---- views

TEST(Metagraph, ShowsTheNeuronsAsTheyAre) {
  Economy economy;
  economy.run_epochs();
  const auto view = metagraph(economy.state(), kSubnet);
  ASSERT_TRUE(view);
  EXPECT_EQ(view->neurons.size(), 5u);
  EXPECT_EQ(view->neurons[3].hotkey, key(203));
  EXPECT_EQ(view->neurons[3].coldkey, key(103));
  EXPECT_GT(view->neurons[3].incentive, view->neurons[4].incentive);
  EXPECT_TRUE(view->neurons[1].validator_permit);
  EXPECT_GT(view->neurons[1].total_stake, view->neurons[1].alpha_stake);
  EXPECT_EQ(view->next_epoch_block, view->last_epoch_block + 20);
  EXPECT_FALSE(metagraph(economy.state(), 9));
  EXPECT_FALSE(metagraph(economy.state(), kSubnet, 1));
}

TEST(SubnetInfos, ListAllButRoot) {
  Economy economy;
  economy.step(30);  // until the moving price isn't zero any more
  const auto infos = subnet_infos(economy.state());
  ASSERT_EQ(infos.size(), 1u);
  EXPECT_TRUE(infos[0].started);
  EXPECT_NEAR(static_cast<double>(infos[0].emission_share.bits), 0x1p64, 0x1p40);
}

TEST(StakesOfColdkey, ListEveryPlaceThatHasSome) {
  Economy economy;
  const auto stakes = stakes_of_coldkey(economy.state(), key(101));
  ASSERT_EQ(stakes.size(), 2u);
  EXPECT_EQ(stakes[0].netuid, kRootNetuid);
  EXPECT_EQ(stakes[0].value_rao, 5'000 * kTao);
  EXPECT_TRUE(stakes_of_coldkey(economy.state(), key(999)).empty());
}

TEST(HalvingInfo, CountsDownToTheNextThreshold) {
  Economy economy;
  HalvingInfo info = halving_info(economy.state());
  EXPECT_EQ(info.halvings, 0);
  EXPECT_EQ(info.block_emission_rao, kTao);
  EXPECT_EQ(info.next_issuance_rao, 10'500'000 * kTao);
  economy.state().issuance_rao = 10'500'000 * kTao;
  info = halving_info(economy.state());
  EXPECT_EQ(info.halvings, 1);
  EXPECT_EQ(info.block_emission_rao, kTao / 2);
  EXPECT_EQ(info.blocks_left, 10'500'000u);
}

TEST(FindViolations, SeesWhatDoesNotAddUp) {
  Economy economy;
  ASSERT_TRUE(find_violations(economy.state()).empty());
  economy.state().issuance_rao += 1;
  EXPECT_EQ(find_violations(economy.state()).size(), 1u);
  economy.subnet().economy.alpha_minted += 1;
  EXPECT_EQ(find_violations(economy.state()).size(), 2u);
  economy.subnet().stakes.at(key(201)).pool.total *= 2;
  EXPECT_GE(find_violations(economy.state()).size(), 3u);
}

}  // namespace
}  // namespace muster::chain::runtime
