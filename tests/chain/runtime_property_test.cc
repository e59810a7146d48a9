// The invariants of an economy, over random histories of a thousand calls and hundreds of blocks.
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "base/prng.h"
#include "tests/chain/runtime_fixture.h"

namespace muster::chain::runtime {
namespace {

constexpr int kSteps = 1000;

// Draws calls that make sense often enough to succeed, and nonsense often enough to fail.
class RandomCalls {
 public:
  explicit RandomCalls(std::uint64_t seed) : random_(seed) {}

  [[nodiscard]] bool advances() { return random_.below(3) == 0; }
  [[nodiscard]] AccountId signer() { return random_.below(4) == 0 ? hotkey() : coldkey(); }

  [[nodiscard]] RuntimeCall next() {
    switch (random_.below(26)) {
      case 0:
        return TransferKeepAlive{{coldkey()}, {amount()}};
      case 1:
        return TransferAllowDeath{{coldkey()}, {amount()}};
      case 2:
        return AddStake{hotkey(), netuid(), amount()};
      case 3:
        return AddStakeLimit{hotkey(), netuid(), amount(), price(), random_.below(2) == 0};
      case 4:
        return RemoveStake{hotkey(), netuid(), amount()};
      case 5:
        return RemoveStakeLimit{hotkey(), netuid(), amount(), price(), random_.below(2) == 0};
      case 6:
        return RemoveStakeFullLimit{hotkey(), netuid(), std::nullopt};
      case 7:
        return MoveStake{hotkey(), hotkey(), netuid(), netuid(), amount()};
      case 8:
        return TransferStake{coldkey(), hotkey(), netuid(), netuid(), amount()};
      case 9:
        return SwapStake{hotkey(), netuid(), netuid(), amount()};
      case 10:
        return SwapStakeLimit{hotkey(), netuid(), netuid(),
                              amount(), price(),  random_.below(2) == 0};
      case 11:
        if (random_.below(8) == 0) return UnstakeAll{hotkey()};
        return AddStake{hotkey(), kRootNetuid, amount()};
      case 12:
        if (random_.below(4) == 0) return UnstakeAllAlpha{hotkey()};
        return AddStake{hotkey(), kSubnet, amount()};
      case 13:
        return BurnedRegister{netuid(), hotkey()};
      case 14:
        return RootRegister{hotkey()};
      case 15:
        return RegisterNetwork{hotkey()};
      case 16:
        return StartCall{netuid()};
      case 17:
        return SetChildren{hotkey(), netuid(), {{random_.next_u64(), hotkey()}}};
      case 18:
        return RecycleAlpha{hotkey(), amount(), netuid()};
      case 19:
        return BurnAlpha{hotkey(), amount(), netuid()};
      case 20:
        return ClaimRoot{{netuid()}};
      case 21:
        return SetRootClaimType{{static_cast<RootClaimType::Kind>(random_.below(2)), {}}};
      case 22:
        return SetWeights{netuid(), {0, 3, 4}, {1, 2, 3}, 0};
      case 23:
        return AddStakeBurn{hotkey(), netuid(), amount(), std::nullopt};
      case 24:
        return DecreaseTake{hotkey(), static_cast<std::uint16_t>(random_.below(12'000))};
      default:
        return SetMechanismCount{netuid(), static_cast<MechanismId>(random_.below(3))};
    }
  }

 private:
  AccountId coldkey() { return key(static_cast<std::uint16_t>(100 + random_.below(4))); }
  AccountId hotkey() {
    return key(static_cast<std::uint16_t>(200 + random_.below(random_.below(4) == 0 ? 12 : 4)));
  }
  Netuid netuid() { return static_cast<Netuid>(random_.below(random_.below(8) == 0 ? 5 : 3)); }
  std::uint64_t price() { return random_.below(2) == 0 ? kTao / 2 : 2 * kTao; }
  // From nothing to more than anyone has, all magnitudes alike.
  std::uint64_t amount() {
    return random_.next_u64() >>
           (random_.below(4) == 0 ? random_.below(64) : 20 + random_.below(20));
  }

  Prng random_;
};

Genesis property_genesis(std::uint64_t seed) {
  Genesis genesis = small_genesis();
  genesis.network.network_rate_limit_blocks = 5;
  genesis.network.network_immunity_blocks = 50;
  genesis.network.network_lock_min_rao = 10 * kTao;
  genesis.network.subnet_limit = 3;
  genesis.network.children_rate_limit_blocks = 1;
  genesis.network.children_cooldown_blocks = 10;
  genesis.network.mechanism_rate_limit_blocks = 1;
  genesis.network.root_claim_threshold = 1'000;
  genesis.network.admin_freeze_blocks = 0;
  genesis.network.tao_weight = 3'320'413'933'267'719'290;
  genesis.subnets[0].parameters.uids_max = 64;
  if (seed % 2 == 1) genesis.network.emission_rule = EmissionRule::kGated;
  if (seed % 3 == 2) genesis.author = {};
  return genesis;
}

void require_sound(const State& state) {
  const auto violations = find_violations(state);
  if (!violations.empty()) RC_FAIL(violations.front());
}

TEST(Economy, KeepsItsSumsOverAnyHistory) {
  EXPECT_TRUE(
      rc::check("balances, pools and shares sum to what was issued", [](std::uint64_t seed) {
        Economy economy(property_genesis(seed));
        RandomCalls calls(seed);
        for (int i = 0; i < kSteps; ++i) {
          if (calls.advances()) economy.step();
          (void)economy.call(calls.signer(), calls.next());
          if (i % 16 == 0) require_sound(economy.state());
        }
        require_sound(economy.state());
      }));
}

TEST(Economy, ACallThatFailsLeavesNoTrace) {
  EXPECT_TRUE(rc::check("the state's hash is the same after a failure", [](std::uint64_t seed) {
    Economy economy(property_genesis(seed));
    RandomCalls calls(seed);
    Hash before = state_hash(economy.state());
    for (int i = 0; i < kSteps / 4; ++i) {
      if (calls.advances()) {
        economy.step(3);
        before = state_hash(economy.state());
      }
      const AccountId signer = calls.signer();
      const RuntimeCall call = calls.next();
      const std::size_t events_before = economy.events().size();
      const Outcome outcome = economy.call(signer, call);
      const Hash after = state_hash(economy.state());
      if (outcome && (after != before || economy.events().size() != events_before))
        RC_FAIL(std::string(id_of(call).name) + " changed something before it failed with " +
                std::string(name_of(*outcome)));
      before = after;
    }
  }));
}

TEST(Economy, EqualHistoriesGiveEqualStates) {
  EXPECT_TRUE(rc::check("two economies with the same calls agree", [](std::uint64_t seed) {
    Economy one(property_genesis(seed)), other(property_genesis(seed));
    RandomCalls calls(seed);
    for (int i = 0; i < kSteps / 4; ++i) {
      const bool advances = calls.advances();
      const AccountId signer = calls.signer();
      const RuntimeCall call = calls.next();
      if (advances) one.step(), other.step();
      RC_ASSERT(one.call(signer, call) == other.call(signer, call));
    }
    RC_ASSERT(state_hash(one.state()) == state_hash(other.state()));
  }));
}

// A property over calls that all fail says nothing.
TEST(Economy, MostKindsOfRandomCallsSucceedSometimes) {
  std::map<std::string_view, int> succeeded;
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    Economy economy(property_genesis(seed));
    RandomCalls calls(seed);
    for (int i = 0; i < kSteps; ++i) {
      if (calls.advances()) economy.step();
      const AccountId signer = calls.signer();
      const RuntimeCall call = calls.next();
      if (!economy.call(signer, call)) ++succeeded[id_of(call).name];
    }
  }
  EXPECT_GE(succeeded.size(), 24u);
}

}  // namespace
}  // namespace muster::chain::runtime
