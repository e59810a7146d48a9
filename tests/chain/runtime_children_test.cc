#include <gtest/gtest.h>

#include "chain/runtime/children.h"
#include "tests/chain/runtime_fixture.h"

namespace muster::chain::runtime {
namespace {

constexpr std::uint64_t kHalf = ~std::uint64_t{0} / 2;

Genesis quick_children() {
  Genesis genesis = small_genesis();
  genesis.network.children_cooldown_blocks = 5;
  genesis.network.children_rate_limit_blocks = 3;
  return genesis;
}

TEST(SetChildren, WaitsForItsCooldownAndAnEpoch) {
  Economy economy(quick_children());
  EXPECT_FALSE(economy.call(key(101), SetChildren{key(201), kSubnet, {{kHalf, key(202)}}}));
  economy.step(10);
  EXPECT_TRUE(children_of(economy.subnet(), key(201)).empty());
  economy.step(10);
  EXPECT_EQ(children_of(economy.subnet(), key(201)), (Relations{{kHalf, key(202)}}));
  EXPECT_EQ(parents_of(economy.subnet(), key(202)), (Relations{{kHalf, key(201)}}));
}

TEST(SetChildren, AppliesAtOnceBeforeTheSubnetStarts) {
  Genesis genesis = quick_children();
  genesis.subnets[0].started = false;
  Economy economy(genesis);
  EXPECT_FALSE(economy.call(key(101), SetChildren{key(201), kSubnet, {{kHalf, key(202)}}}));
  EXPECT_EQ(parents_of(economy.subnet(), key(202)).size(), 1u);
}

TEST(SetChildren, ReplacesTheOldOnesInBothDirections) {
  Genesis genesis = quick_children();
  genesis.subnets[0].started = false;
  Economy economy(genesis);
  EXPECT_FALSE(economy.call(key(101), SetChildren{key(201), kSubnet, {{kHalf, key(202)}}}));
  economy.step(3);
  EXPECT_FALSE(economy.call(key(101), SetChildren{key(201), kSubnet, {{kHalf, key(203)}}}));
  EXPECT_TRUE(parents_of(economy.subnet(), key(202)).empty());
  EXPECT_EQ(parents_of(economy.subnet(), key(203)), (Relations{{kHalf, key(201)}}));
  economy.step(3);
  EXPECT_FALSE(economy.call(key(101), SetChildren{key(201), kSubnet, {}}));
  EXPECT_TRUE(economy.subnet().families.children.empty());
  EXPECT_TRUE(economy.subnet().families.parents.empty());
}

TEST(SetChildren, NamesWhatIsWrong) {
  Economy economy(quick_children());
  const auto error = [&](const SetChildren& call) { return economy.call(key(101), call); };
  EXPECT_EQ(error({key(201), kRootNetuid, {}}),
            DispatchError::kRegistrationNotPermittedOnRootSubnet);
  EXPECT_EQ(error({key(201), 9, {}}), DispatchError::kSubnetNotExists);
  EXPECT_EQ(error({key(202), kSubnet, {}}), DispatchError::kNonAssociatedColdKey);
  EXPECT_EQ(error({key(201), kSubnet, {{1, key(202)}, {1, key(202)}}}),
            DispatchError::kDuplicateChild);
  EXPECT_EQ(error({key(201), kSubnet, {{1, key(201)}}}), DispatchError::kInvalidChild);
  EXPECT_EQ(error({key(201), kSubnet, {{kHalf + 2, key(202)}, {kHalf + 2, key(203)}}}),
            DispatchError::kProportionOverflow);
  Relations six;
  for (std::uint16_t i = 0; i < 6; ++i) six.emplace_back(1, key(400 + i));
  EXPECT_EQ(error({key(201), kSubnet, six}), DispatchError::kTooManyChildren);
}

TEST(SetChildren, NobodyIsBothParentAndChildOfAnother) {
  Genesis genesis = quick_children();
  genesis.subnets[0].started = false;
  Economy economy(genesis);
  EXPECT_FALSE(economy.call(key(101), SetChildren{key(201), kSubnet, {{kHalf, key(202)}}}));
  EXPECT_EQ(economy.call(key(102), SetChildren{key(202), kSubnet, {{kHalf, key(201)}}}),
            DispatchError::kChildParentInconsistency);
}

TEST(SetChildren, NeedsStakeUnlessOnesOwnSubnet) {
  Genesis genesis = quick_children();
  genesis.network.stake_threshold = 100 * kTao;
  Economy economy(genesis);
  EXPECT_EQ(economy.call(key(103), SetChildren{key(203), kSubnet, {{kHalf, key(204)}}}),
            DispatchError::kNotEnoughStakeToSetChildkeys);
  EXPECT_FALSE(economy.call(key(100), SetChildren{key(200), kSubnet, {{kHalf, key(204)}}}));
}

TEST(SetChildren, ComesOnlySoOften) {
  Economy economy(quick_children());
  EXPECT_FALSE(economy.call(key(101), SetChildren{key(201), kSubnet, {}}));
  EXPECT_EQ(economy.call(key(101), SetChildren{key(201), kSubnet, {}}),
            DispatchError::kTxRateLimitExceeded);
  economy.step(3);
  EXPECT_FALSE(economy.call(key(101), SetChildren{key(201), kSubnet, {}}));
}

TEST(RemoveStake, OfAPoorHotkeyDropsItsPlans) {
  Genesis genesis = quick_children();
  genesis.network.stake_threshold = 6'900 * kTao;
  Economy economy(genesis);
  EXPECT_FALSE(economy.call(key(101), SetChildren{key(201), kSubnet, {{kHalf, key(202)}}}));
  EXPECT_FALSE(economy.call(key(101), RemoveStake{key(201), kSubnet, 1'000 * kTao}));
  EXPECT_TRUE(economy.subnet().families.pending.empty());
}

TEST(SetChildkeyTake, RisesOnlySoOftenAndStaysInBounds) {
  Economy economy;
  EXPECT_EQ(economy.call(key(101), SetChildkeyTake{key(201), kSubnet, 11'797}),
            DispatchError::kInvalidChildkeyTake);
  EXPECT_FALSE(economy.call(key(101), SetChildkeyTake{key(201), kSubnet, 100}));
  EXPECT_EQ(economy.call(key(101), SetChildkeyTake{key(201), kSubnet, 101}),
            DispatchError::kTxChildkeyTakeRateLimitExceeded);
  EXPECT_FALSE(economy.call(key(101), SetChildkeyTake{key(201), kSubnet, 50}));
  EXPECT_EQ(childkey_take_of(economy.state(), economy.subnet(), key(201)), 50);
}

TEST(SetMinChildkeyTake, RaisesWhatEveryChildTakes) {
  Economy economy;
  EXPECT_FALSE(economy.call(key(100), SetMinChildkeyTake{kSubnet, 500}));
  EXPECT_EQ(childkey_take_of(economy.state(), economy.subnet(), key(201)), 500);
}

TEST(Payout, AChildsDividendsGoBackToItsParentButForTheTake) {
  Genesis genesis = quick_children();
  genesis.subnets[0].stakes = {{key(101), key(201), 2'000 * kTao}};
  genesis.subnets[0].neurons = {{key(101), key(201)}, {key(102), key(202)}, {key(103), key(203)}};
  genesis.root_stakes.clear();
  genesis.root_neurons.clear();
  genesis.subnets[0].started = false;
  Economy economy(genesis);
  EXPECT_FALSE(
      economy.call(key(101), SetChildren{key(201), kSubnet, {{~std::uint64_t{0}, key(202)}}}));
  EXPECT_FALSE(economy.call(key(102), SetChildkeyTake{key(202), kSubnet, 6'554}));
  EXPECT_FALSE(economy.call(key(100), StartCall{kSubnet}));
  economy.step(20);
  EXPECT_FALSE(economy.call(key(202), SetWeights{kSubnet, {3}, {1}, 0}));
  const std::uint64_t parent = stake_of(economy.state(), key(201), kSubnet);
  const std::uint64_t child = stake_of(economy.state(), key(202), kSubnet);
  economy.step(20);
  const double to_parent =
      static_cast<double>(stake_of(economy.state(), key(201), kSubnet) - parent);
  const double to_child = static_cast<double>(stake_of(economy.state(), key(202), kSubnet) - child);
  EXPECT_GT(to_parent, 0);
  // All stake is the parent's: it gets all but the take of a tenth.
  EXPECT_NEAR(to_child / (to_parent + to_child), 0.1, 0.01);
}

TEST(RuntimeChildren, NamesARepetitionBeforeTheCountHoweverManyThereAre) {
  Economy economy;
  SetChildren call{key(201), kSubnet, {}};
  for (std::uint16_t i = 0; i < 1'600; ++i) call.children.emplace_back(1, key(1'000 + i));
  EXPECT_EQ(economy.call(key(101), call), DispatchError::kTooManyChildren);
  call.children.back().second = call.children.front().second;
  EXPECT_EQ(economy.call(key(101), call), DispatchError::kDuplicateChild);
}

}  // namespace
}  // namespace muster::chain::runtime
