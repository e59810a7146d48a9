// Scenarios of upstream's own tests, with their numbers.
//
// Source: subtensor: tests/{coinbase,claim_root,networks}.rs; each test says which.
#include <gtest/gtest.h>

#include "chain/economy/injection.h"
#include "chain/runtime/children.h"
#include "chain/runtime/emission.h"
#include "chain/runtime/networks.h"
#include "chain/runtime/payout.h"
#include "chain/runtime/root_claims.h"
#include "chain/runtime/weights.h"
#include "tests/chain/runtime_fixture.h"

namespace muster::chain::runtime {
namespace {

constexpr std::uint64_t kWholeTaoWeight = ~std::uint64_t{0};

// Alice (hotkey 201 of 101) and Bob (202 of 102) on a subnet whose owner has no stake.
Genesis alice_and_bob() {
  Genesis genesis;
  genesis.author = key(1);
  genesis.network.tao_weight = kWholeTaoWeight;
  genesis.network.root_claim_threshold = 0;
  genesis.balances = {{key(1), kTao}, {key(101), 100 * kTao}, {key(102), 100 * kTao}};
  GenesisSubnet subnet;
  subnet.netuid = kSubnet;
  subnet.owner_coldkey = key(100);
  subnet.owner_hotkey = key(200);
  subnet.neurons = {{key(101), key(201)}, {key(102), key(202)}};
  subnet.parameters.commit_reveal = false;
  genesis.subnets = {subnet};
  return genesis;
}

struct Scenario {
  explicit Scenario(const Genesis& genesis) : state(make_state(genesis)) {
    state.block = 1;
    for (auto& [hotkey, record] : state.hotkeys) record.take = 0;
  }
  [[nodiscard]] Context context() { return {state, journal, events, key(1)}; }
  void drain(std::uint64_t server, std::uint64_t validator, std::uint64_t root = 0) {
    state.subnets.at(kSubnet).economy.alpha_out += server + validator + root;
    pay_epoch(context(), kSubnet, {server, validator, root, 0});
  }
  [[nodiscard]] std::uint64_t alpha(std::uint16_t hotkey) const {
    return stake_of(state, key(hotkey), kSubnet);
  }

  State state;
  Journal journal{Journal::Mode::kForget};
  Events events;
};

// coinbase.rs: test_drain_base_with_subnet_with_two_stakers_registered
TEST(UpstreamScenario, TwoEqualStakersShareAnEpochWithoutMiners) {
  Genesis genesis = alice_and_bob();
  genesis.subnets[0].stakes = {{key(101), key(201), kTao}, {key(102), key(202), kTao}};
  Scenario scenario(genesis);
  scenario.drain(kTao / 2, kTao / 2);
  EXPECT_NEAR(static_cast<double>(scenario.alpha(201)), 1.5 * kTao, 10.0);
  EXPECT_NEAR(static_cast<double>(scenario.alpha(202)), 1.5 * kTao, 10.0);
}

// coinbase.rs: test_drain_base_with_subnet_with_two_stakers_registered_and_root_different_amounts
TEST(UpstreamScenario, AlphaIsPaidByAlphaStakeHoweverMuchRootStakeThereIs) {
  Genesis genesis = alice_and_bob();
  genesis.root_stakes = {{key(101), key(201), 2 * kTao}, {key(102), key(202), kTao}};
  genesis.subnets[0].stakes = {{key(101), key(201), kTao}, {key(102), key(202), kTao}};
  Scenario scenario(genesis);
  scenario.drain(kTao / 2, kTao / 2);
  EXPECT_NEAR(static_cast<double>(scenario.alpha(201)), 1.5 * kTao, 10.0);
  EXPECT_NEAR(static_cast<double>(scenario.alpha(202)), 1.5 * kTao, 10.0);
}

// coinbase.rs: test_get_root_children_drain
TEST(UpstreamScenario, AChildValidatesWithItsParentsStakeAndSharesTheDividends) {
  Genesis genesis = alice_and_bob();
  genesis.root_stakes = {{key(101), key(201), kTao}, {key(102), key(202), kTao}};
  genesis.subnets[0].stakes = {{key(101), key(201), kTao}, {key(102), key(202), kTao}};
  Scenario scenario(genesis);
  Subnet& subnet = scenario.state.subnets.at(kSubnet);
  subnet.families.children[key(201)] = {{~0ull, key(202)}};
  subnet.families.parents[key(202)] = {{~0ull, key(201)}};
  EXPECT_EQ(inherited_alpha(subnet, key(201)), 0u);
  EXPECT_EQ(inherited_root(scenario.state, subnet, key(201)), 0u);
  EXPECT_EQ(inherited_alpha(subnet, key(202)), 2 * kTao);
  EXPECT_EQ(inherited_root(scenario.state, subnet, key(202)), 2 * kTao);
  scenario.drain(kTao / 2, kTao / 2);
  EXPECT_EQ(scenario.alpha(201), kTao + kTao / 2);
  EXPECT_EQ(scenario.alpha(202), kTao + kTao / 2);
  // Bob is greedy: the parent makes nothing.
  subnet.families.takes[key(202)] = 65'535;
  scenario.drain(kTao / 2, kTao / 2);
  EXPECT_FALSE(subnet.alpha_dividends.contains(key(201)));
  EXPECT_NEAR(static_cast<double>(subnet.alpha_dividends.at(key(202))), 1.0 * kTao, 1.0);
}

// claim_root.rs: test_claim_root_with_drain_emissions
TEST(UpstreamScenario, RootAlphaLessTheTakeIsClaimedByTheRootStaker) {
  Genesis genesis = alice_and_bob();
  genesis.root_stakes = {{key(102), key(201), 2'000'000}};
  genesis.subnets[0].stakes = {{key(101), key(201), 10'000'000}};
  Scenario scenario(genesis);
  scenario.state.hotkeys.at(key(201)).take = 11'796;
  scenario.drain(0, 0, 1'000'000);
  EXPECT_NEAR(static_cast<double>(stake_of(scenario.state, key(201), key(101), kSubnet)),
              10'180'000.0, 100.0);
  const I96F32 rate = scenario.state.hotkeys.at(key(201)).root_claimable.at(kSubnet);
  EXPECT_NEAR(static_cast<double>(rate.bits) / 0x1p32, 0.41, 0.001);
  const auto claim = [&] {
    EXPECT_FALSE(dispatch(scenario.state, scenario.events, key(1), key(102), ClaimRoot{{kSubnet}}));
    return stake_of(scenario.state, key(201), key(102), kSubnet);
  };
  EXPECT_FALSE(dispatch(scenario.state, scenario.events, key(1), key(102),
                        SetRootClaimType{{RootClaimType::Kind::kKeep, {}}}));
  EXPECT_NEAR(static_cast<double>(claim()), 820'000.0, 10.0);
  scenario.drain(0, 0, 1'000'000);
  EXPECT_NEAR(static_cast<double>(claim()), 1'640'000.0, 20.0);
}

// claim_root.rs: test_claim_root_adding_stake_proportionally_for_two_stakers
TEST(UpstreamScenario, EqualRootStakersAreOwedTheSame) {
  Genesis genesis = alice_and_bob();
  genesis.root_stakes = {{key(103), key(201), 1'000'000},
                         {key(104), key(201), 1'000'000},
                         {key(105), key(201), 8'000'000}};
  genesis.subnets[0].stakes = {{key(101), key(201), 10'000'000}};
  Scenario scenario(genesis);
  scenario.state.hotkeys.at(key(201)).take = 11'796;
  scenario.drain(0, 0, 10'000'000);
  const std::uint64_t alice = root_owed(scenario.state, key(201), key(103), kSubnet);
  const std::uint64_t bob = root_owed(scenario.state, key(201), key(104), kSubnet);
  EXPECT_EQ(alice, bob);
  EXPECT_NEAR(static_cast<double>(alice), 820'000.0, 100.0);
}

// coinbase.rs: test_coinbase_tao_issuance_different_prices
TEST(UpstreamScenario, TaoIsDividedByMovingPrices) {
  Genesis genesis = alice_and_bob();
  GenesisSubnet other = genesis.subnets[0];
  other.netuid = 2;
  other.owner_hotkey = key(250);
  other.neurons.clear();
  genesis.subnets.push_back(other);
  genesis.root_stakes = {{key(102), key(202), 1'000'000 * kTao}};
  Scenario scenario(genesis);
  auto& first = scenario.state.subnets.at(1).economy;
  auto& second = scenario.state.subnets.at(2).economy;
  first.moving_price = I96F32::from_bits(429'496'730);   // 0.1
  second.moving_price = I96F32::from_bits(858'993'459);  // 0.2
  emit_block(scenario.context());
  EXPECT_NEAR(static_cast<double>(first.tao_in_emission + first.excess_tao), kTao / 3.0, 10.0);
  EXPECT_NEAR(static_cast<double>(second.tao_in_emission + second.excess_tao), kTao * 2 / 3.0,
              10.0);
}

// coinbase.rs: test_coinbase_emit_to_subnets_with_root_sell
TEST(UpstreamScenario, AlphaWaitsAsOwnersServersValidatorsAndRootsParts) {
  Genesis genesis = alice_and_bob();
  genesis.network.subnet_owner_cut = 65'535 / 10;
  genesis.subnets[0].tao_reserve = genesis.subnets[0].alpha_reserve = 1'000'000 * kTao;
  genesis.root_stakes = {{key(102), key(202), 500'000 * kTao}};
  Scenario scenario(genesis);
  SubnetEconomy& economy = scenario.state.subnets.at(kSubnet).economy;
  economy.moving_price = fixed_from<I96F32>(2);  // over one: root alpha is paid
  emit_block(scenario.context());
  const double alpha = 1.0 * kTao, cut = alpha * 6'553 / 65'535;
  const double root_proportion =
      500'000.0 / (500'000.0 + static_cast<double>(alpha_issuance_of(economy)) / kTao);
  const double root_alpha = root_proportion * (alpha - cut) / 2;
  EXPECT_NEAR(static_cast<double>(economy.pending_owner), cut, 200.0);
  EXPECT_NEAR(static_cast<double>(economy.pending_root), root_alpha, 200.0);
  EXPECT_NEAR(static_cast<double>(economy.pending_server), (alpha - cut) / 2, 200.0);
  EXPECT_NEAR(static_cast<double>(economy.pending_validator), (alpha - cut) / 2 - root_alpha,
              200.0);
}

// coinbase.rs: test_coinbase_alpha_issuance_with_cap_trigger_and_block_emission
TEST(UpstreamScenario, AtTheCapOfAlphaAllTaoBuys) {
  Genesis genesis = alice_and_bob();
  Scenario scenario(genesis);
  SubnetEconomy& economy = scenario.state.subnets.at(kSubnet).economy;
  economy.moving_price = I96F32::one();
  economy.alpha_out = kIssuanceMax;
  const Pool before = economy.pool;
  emit_block(scenario.context());
  EXPECT_EQ(economy.alpha_in_emission + economy.alpha_out_emission + economy.tao_in_emission, 0u);
  EXPECT_GT(economy.protocol_alpha, 0u);
  EXPECT_EQ(economy.alpha_out, kIssuanceMax + economy.protocol_alpha);
  EXPECT_LT(economy.pool.alpha_reserve, before.alpha_reserve);
}

// networks.rs: destroy_alpha_out_multiple_stakers_pro_rata (without the owner's refund, which is
// for subnets from before it was ended)
TEST(UpstreamScenario, AnEndingSubnetsTaoGoesByLargestRemainder) {
  Genesis genesis = alice_and_bob();
  genesis.subnets[0].stakes = {{key(101), key(201), 6'000'001}, {key(102), key(202), 14'000'000}};
  Scenario scenario(genesis);
  SubnetEconomy& economy = scenario.state.subnets.at(kSubnet).economy;
  economy.pool.tao_reserve = 10'000;
  const std::uint64_t first = balance_of(scenario.state, key(101));
  const std::uint64_t second = balance_of(scenario.state, key(102));
  dissolve_network(scenario.context(), kSubnet);
  // 10000 * 6000001 / 20000001 = 3000.0003…, and 6999.9996…: the second has the larger remainder.
  EXPECT_EQ(balance_of(scenario.state, key(101)) - first, 3'000u);
  EXPECT_EQ(balance_of(scenario.state, key(102)) - second, 7'000u);
}

}  // namespace
}  // namespace muster::chain::runtime
