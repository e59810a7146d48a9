#include <gtest/gtest.h>

#include "chain/runtime/owner_settings.h"
#include "tests/chain/runtime_fixture.h"

namespace muster::chain::runtime {
namespace {

// Long epochs, so that the freeze before them is far.
Genesis slow_genesis() {
  Genesis genesis = small_genesis();
  genesis.subnets[0].parameters.tempo = 1'000;
  genesis.network.owner_rate_limit_tempos = 0;
  return genesis;
}

// Every call that only a subnet's owner may make, for kSubnet.
std::vector<RuntimeCall> owner_calls() {
  std::vector<RuntimeCall> calls;
  for (std::size_t i = 0; i < kCallCount; ++i) {
    RuntimeCall call = default_call(i);
    const bool is_setting = id_of(call).pallet == kAdminPallet || id_of(call).name == "set_tempo" ||
                            id_of(call).name == "trigger_epoch" ||
                            id_of(call).name == "set_activity_cutoff_factor";
    if (!is_setting) continue;
    std::visit(
        [](auto& one) {
          if constexpr (requires { one.netuid; }) one.netuid = kSubnet;
        },
        call);
    calls.push_back(call);
  }
  return calls;
}

TEST(OwnerSettings, AreTheOwnersOnly) {
  Economy economy(slow_genesis());
  for (const RuntimeCall& call : owner_calls())
    EXPECT_EQ(economy.call(key(101), call), DispatchError::kBadOrigin) << id_of(call).name;
}

TEST(OwnerSettings, AreRefusedWhereTheGenesisFixesTheRules) {
  Genesis genesis = slow_genesis();
  genesis.subnets[0].rules.fixed = true;
  Economy economy(genesis);
  const SubnetParameters before = economy.subnet().parameters;
  for (const RuntimeCall& call : owner_calls()) {
    EXPECT_EQ(economy.call(key(100), call), DispatchError::kRulesFixedAtGenesis)
        << id_of(call).name;
    EXPECT_EQ(economy.call(key(101), call), DispatchError::kBadOrigin) << id_of(call).name;
  }
  EXPECT_EQ(economy.subnet().parameters, before);
}

TEST(OwnerSettings, TakeEffect) {
  Economy economy(slow_genesis());
  const auto set = [&](const RuntimeCall& call) {
    const Outcome outcome = economy.call(key(100), call);
    EXPECT_FALSE(outcome) << id_of(call).name << ": " << name_of(*outcome);
  };
  set(SetServingRateLimit{kSubnet, 11});
  set(SetWeightsVersionKey{kSubnet, 12});
  set(SetImmunityPeriod{kSubnet, 13});
  set(SetMinAllowedWeights{kSubnet, 14});
  set(SetMaxAllowedUids{kSubnet, 100});
  set(SetRho{kSubnet, 15});
  set(SetMinBurn{kSubnet, 16});
  set(SetMaxBurn{kSubnet, 17 * kTao});
  set(SetBondsMovingAverage{kSubnet, 18});
  set(SetCommitRevealEnabled{kSubnet, true});
  set(SetLiquidAlphaEnabled{kSubnet, true});
  set(SetAlphaValues{kSubnet, {2'000, 3'000}});
  set(SetRevealPeriod{kSubnet, 19});
  set(SetBondsPenalty{kSubnet, 20});
  set(SetTransferEnabled{kSubnet, false});
  set(SetSubnetOwnerHotkey{kSubnet, key(210)});
  set(SetAlphaSigmoidSteepness{kSubnet, 21});
  set(SetYuma3Enabled{kSubnet, false});
  set(SetBondsResetEnabled{kSubnet, true});
  set(SetOwnerImmuneLimit{kSubnet, 3});
  set(SetMechanismCount{kSubnet, 2});
  set(SetMechanismSplit{kSubnet, std::vector<std::uint16_t>{60'000, 5'535}});
  set(SetRecycleOrBurn{kSubnet, {OwnerIncentive::kRecycle}});
  set(SetBurnHalfLife{kSubnet, 22});
  set(SetBurnIncreaseMult{kSubnet, Uint128{2} << 64});
  set(SetOwnerCutEnabled{kSubnet, false});
  set(SetMinChildkeyTake{kSubnet, 23});
  set(SetActivityCutoffFactor{kSubnet, 2'000});
  const SubnetParameters& parameters = economy.subnet().parameters;
  EXPECT_EQ(parameters.serving_rate_limit_blocks, 11u);
  EXPECT_EQ(parameters.weights_version_key, 12u);
  EXPECT_EQ(parameters.immunity_period, 13);
  EXPECT_EQ(parameters.min_allowed_weights, 14);
  EXPECT_EQ(parameters.uids_max, 100);
  EXPECT_EQ(parameters.rho, 15);
  EXPECT_EQ(parameters.burn_min_rao, 16u);
  EXPECT_EQ(parameters.burn_max_rao, 17 * kTao);
  EXPECT_EQ(parameters.bonds_moving_average, 18u);
  EXPECT_TRUE(parameters.commit_reveal && parameters.liquid_alpha && parameters.bonds_reset);
  EXPECT_EQ(parameters.alpha_low, 2'000);
  EXPECT_EQ(parameters.alpha_high, 3'000);
  EXPECT_EQ(parameters.reveal_period_epochs, 19u);
  EXPECT_EQ(parameters.bonds_penalty, 20);
  EXPECT_FALSE(parameters.transfer_allowed || parameters.yuma3 || parameters.owner_cut);
  EXPECT_EQ(economy.subnet().owner_hotkey, key(210));
  EXPECT_EQ(parameters.alpha_sigmoid_steepness, 21);
  EXPECT_EQ(parameters.owner_immune_limit, 3);
  EXPECT_EQ(economy.subnet().mechanisms.size(), 2u);
  EXPECT_EQ(parameters.mechanism_split->at(1), 5'535);
  EXPECT_EQ(parameters.owner_incentive, OwnerIncentive::kRecycle);
  EXPECT_EQ(parameters.burn_half_life_blocks, 22);
  EXPECT_EQ(parameters.burn_increase, fixed_from<U64F64>(2));
  EXPECT_EQ(parameters.childkey_take_min, 23);
  EXPECT_EQ(parameters.activity_cutoff_factor_milli, 2'000u);
}

TEST(OwnerSettings, HaveBounds) {
  Economy economy(slow_genesis());
  const auto error = [&](const RuntimeCall& call) { return economy.call(key(100), call); };
  EXPECT_EQ(error(SetMaxAllowedUids{kSubnet, 63}),
            DispatchError::kMaxAllowedUidsLessThanMinAllowedUids);
  EXPECT_EQ(error(SetMaxAllowedUids{kSubnet, 257}),
            DispatchError::kMaxAllowedUidsGreaterThanDefaultMaxAllowedUids);
  EXPECT_EQ(error(SetMinBurn{kSubnet, kTao}), DispatchError::kValueNotInBounds);
  EXPECT_EQ(error(SetMaxBurn{kSubnet, kTao / 10}), DispatchError::kValueNotInBounds);
  EXPECT_EQ(error(SetBondsMovingAverage{kSubnet, 975'001}),
            DispatchError::kBondsMovingAverageMaxReached);
  EXPECT_EQ(error(SetAlphaValues{kSubnet, {2'000, 3'000}}), DispatchError::kLiquidAlphaDisabled);
  EXPECT_FALSE(error(SetLiquidAlphaEnabled{kSubnet, true}));
  EXPECT_EQ(error(SetAlphaValues{kSubnet, {1'000, 1'637}}), DispatchError::kAlphaHighTooLow);
  EXPECT_EQ(error(SetAlphaValues{kSubnet, {3'001, 3'000}}), DispatchError::kAlphaLowOutOfRange);
  EXPECT_EQ(error(SetRevealPeriod{kSubnet, 0}), DispatchError::kRevealPeriodTooSmall);
  EXPECT_EQ(error(SetRevealPeriod{kSubnet, 101}), DispatchError::kRevealPeriodTooLarge);
  EXPECT_EQ(error(SetAlphaSigmoidSteepness{kSubnet, -1}), DispatchError::kNegativeSigmoidSteepness);
  EXPECT_EQ(error(SetOwnerImmuneLimit{kSubnet, 11}), DispatchError::kInvalidValue);
  EXPECT_EQ(error(SetMechanismCount{kSubnet, 0}), DispatchError::kInvalidValue);
  EXPECT_EQ(error(SetMechanismCount{kSubnet, 2}), DispatchError::kTooManyUidsPerMechanism);
  EXPECT_EQ(error(SetMechanismSplit{kSubnet, std::vector<std::uint16_t>{65'534}}),
            DispatchError::kInvalidValue);
  EXPECT_EQ(error(SetBurnHalfLife{kSubnet, 0}), DispatchError::kInvalidValue);
  EXPECT_EQ(error(SetBurnIncreaseMult{kSubnet, Uint128{4} << 64}), DispatchError::kInvalidValue);
  EXPECT_EQ(error(SetTempo{kSubnet, 359}), DispatchError::kTempoOutOfBounds);
  EXPECT_EQ(error(SetActivityCutoffFactor{kSubnet, 999}),
            DispatchError::kActivityCutoffFactorMilliOutOfBounds);
}

TEST(OwnerSettings, AreFrozenShortlyBeforeAnEpoch) {
  Genesis genesis = slow_genesis();
  genesis.subnets[0].parameters.tempo = 20;  // the first epoch is in block 20
  Economy economy(genesis);
  economy.step(9);
  EXPECT_FALSE(economy.call(key(100), SetRho{kSubnet, 9}));
  economy.step();
  EXPECT_EQ(economy.call(key(100), SetRho{kSubnet, 9}),
            DispatchError::kAdminActionProhibitedDuringWeightsWindow);
}

TEST(OwnerSettings, ComeOnlySoOftenEach) {
  Genesis genesis = slow_genesis();
  genesis.network.owner_rate_limit_tempos = 2;
  genesis.network.admin_freeze_blocks = 0;
  genesis.subnets[0].parameters.tempo = 10;
  Economy economy(genesis);
  EXPECT_FALSE(economy.call(key(100), SetRho{kSubnet, 9}));
  EXPECT_EQ(economy.call(key(100), SetRho{kSubnet, 8}), DispatchError::kTxRateLimitExceeded);
  EXPECT_FALSE(economy.call(key(100), SetBondsPenalty{kSubnet, 8}));
  economy.step(20);
  EXPECT_FALSE(economy.call(key(100), SetRho{kSubnet, 8}));
}

TEST(SetTempo, BeginsANewCycle) {
  Economy economy(slow_genesis());
  economy.step(5);
  EXPECT_FALSE(economy.call(key(100), SetTempo{kSubnet, 360}));
  EXPECT_EQ(economy.subnet().schedule.last_epoch_block, economy.state().block);
  EXPECT_EQ(economy.call(key(100), SetTempo{kSubnet, 400}), DispatchError::kTxRateLimitExceeded);
}

TEST(TriggerEpoch, BringsOneForwardAndFreezesUntilThen) {
  Economy economy(slow_genesis());
  EXPECT_FALSE(economy.call(key(100), TriggerEpoch{kSubnet}));
  EXPECT_EQ(economy.call(key(100), TriggerEpoch{kSubnet}),
            DispatchError::kEpochTriggerAlreadyPending);
  EXPECT_EQ(economy.call(key(100), SetRho{kSubnet, 9}),
            DispatchError::kAdminActionProhibitedDuringWeightsWindow);
  economy.step(9);
  EXPECT_EQ(economy.subnet().schedule.epoch_index, 0u);
  economy.step();
  EXPECT_EQ(economy.subnet().schedule.epoch_index, 1u);
}

TEST(TriggerEpoch, WouldBreakCommitReveal) {
  Economy economy(slow_genesis());
  EXPECT_FALSE(economy.call(key(100), SetCommitRevealEnabled{kSubnet, true}));
  EXPECT_EQ(economy.call(key(100), TriggerEpoch{kSubnet}),
            DispatchError::kDynamicTempoBlockedByCommitReveal);
}

TEST(SetMechanismCount, ShrinkingForgetsTheOthersAndTheSplit) {
  Genesis genesis = slow_genesis();
  genesis.subnets[0].parameters.uids_max = 100;
  genesis.network.mechanism_rate_limit_blocks = 0;
  Economy economy(genesis);
  EXPECT_FALSE(economy.call(key(100), SetMechanismCount{kSubnet, 2}));
  EXPECT_FALSE(
      economy.call(key(100), SetMechanismSplit{kSubnet, std::vector<std::uint16_t>{1, 65'534}}));
  EXPECT_FALSE(economy.call(key(100), SetMechanismCount{kSubnet, 1}));
  EXPECT_EQ(economy.subnet().mechanisms.size(), 1u);
  EXPECT_FALSE(economy.subnet().parameters.mechanism_split);
}

}  // namespace
}  // namespace muster::chain::runtime
