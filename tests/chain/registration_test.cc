#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "chain/economy/burn_price.h"
#include "chain/economy/pruning.h"
#include "chain/economy/subnet_launch.h"

namespace muster::chain {
namespace {

constexpr BurnLimits kNoLimits{0, UINT64_MAX};

TEST(BurnPrice, HalvesInItsHalfLife) {
  for (const auto half_life : std::initializer_list<std::uint16_t>{1, 2, 10, 360, 1000}) {
    std::uint64_t burn = 1'000'000'000'000;
    for (int block = 0; block < half_life; ++block)
      burn = burn_after_block(burn, half_life, 2, kNoLimits);
    EXPECT_NEAR(static_cast<double>(burn), 5e11, 1e6) << half_life;
  }
}

TEST(BurnPrice, DoesNotDecayInTheFirstBlockOrWithoutAHalfLife) {
  EXPECT_EQ(burn_after_block(1000, 1, 1, kNoLimits), 1000u);
  EXPECT_EQ(burn_after_block(1000, 0, 5, kNoLimits), 1000u);
  EXPECT_EQ(burn_after_block(1000, 1, 2, kNoLimits), 500u);
}

TEST(BurnPrice, StaysWithinItsLimitsOfWhichTheUpperOneWins) {
  EXPECT_EQ(burn_after_block(1000, 0, 5, {2000, 3000}), 2000u);
  EXPECT_EQ(burn_after_registration(1000, fixed_from<U64F64>(9), {2000, 3000}), 3000u);
  EXPECT_EQ(burn_after_block(1000, 0, 5, {3000, 2000}), 2000u);
}

TEST(BurnPrice, SaturatesAndIgnoresMultipliersBelowOne) {
  EXPECT_EQ(burn_after_registration(UINT64_MAX, fixed_from<U64F64>(2), kNoLimits), UINT64_MAX);
  EXPECT_EQ(burn_after_registration(5, U64F64::zero(), kNoLimits), 5u);
}

RC_GTEST_PROP(BurnPrice, FactorIsTheLargestWhosePowerIsAtMostHalf, ()) {
  const auto half_life = *rc::gen::inRange<std::uint16_t>(1, 2000);
  const std::uint64_t factor = burn_decay_factor(half_life);
  RC_ASSERT(factor >= std::uint64_t{1} << 31);
  RC_ASSERT(factor < std::uint64_t{1} << 32);
  RC_ASSERT(burn_decay_factor(static_cast<std::uint16_t>(half_life + 1)) >= factor);
}

TEST(Pruning, PrefersTheLeastEmissionThenTheOldestThenTheLowestUid) {
  EXPECT_EQ(
      neuron_to_prune(std::vector<PrunableNeuron>{{5, 1}, {4, 9}, {4, 8}, {4, 8}}, 100, 10, 0), 2);
}

TEST(Pruning, SparesTheImmuneWhileEnoughAreNot) {
  const std::vector<PrunableNeuron> neurons{{1, 95}, {9, 1}, {8, 1}};
  EXPECT_EQ(neuron_to_prune(neurons, 100, 10, 1), 2);
  EXPECT_EQ(neuron_to_prune(neurons, 100, 10, 2), 0);
}

TEST(Pruning, NeverTakesTheImmortal) {
  EXPECT_EQ(neuron_to_prune(std::vector<PrunableNeuron>{{0, 0, true}, {7, 0}}, 100, 10, 0), 1);
  EXPECT_EQ(neuron_to_prune(std::vector<PrunableNeuron>{{0, 0, true}}, 100, 10, 0), std::nullopt);
  EXPECT_EQ(neuron_to_prune({}, 100, 10, 0), std::nullopt);
}

TEST(Pruning, TakesNobodyWhereTooFewAreFreeAndNoneImmune) {
  EXPECT_EQ(neuron_to_prune(std::vector<PrunableNeuron>{{5, 0}}, 100, 10, 1), std::nullopt);
}

TEST(Immortal, AreTheOwnersOldestAndItsSubnetsHotkey) {
  const std::vector<OwnedNeuron> owned{{5, 30}, {7, 10}, {2, 10}};
  EXPECT_EQ(immortal_uids(owned, {}, 2), (std::vector<std::uint16_t>{2, 7}));
  EXPECT_EQ(immortal_uids(owned, 9, 2), (std::vector<std::uint16_t>{9, 2}));
  EXPECT_EQ(immortal_uids(owned, 7, 2), (std::vector<std::uint16_t>{2, 7}));
  EXPECT_EQ(immortal_uids(owned, 5, 0), std::vector<std::uint16_t>{});
  EXPECT_EQ(immortal_uids({}, 9, 1), std::vector<std::uint16_t>{9});
}

TEST(Immunity, EndsAfterItsPeriod) {
  EXPECT_TRUE(is_immune(99, 90, 10));
  EXPECT_FALSE(is_immune(100, 90, 10));
  EXPECT_TRUE(is_immune(1, 90, 10));
  EXPECT_FALSE(is_immune(90, 90, 0));
}

TEST(SubnetPruning, TakesTheCheapestPastItsImmunity) {
  const std::vector<PrunableSubnet> subnets{
      {1, U64F64::one(), 5}, {2, U64F64::zero(), 50}, {3, U64F64::one(), 4}};
  EXPECT_EQ(subnet_to_prune(subnets, 20, 10), 3);
  EXPECT_EQ(subnet_to_prune(subnets, 60, 10), 2);
  EXPECT_EQ(subnet_to_prune(subnets, 60, UINT64_MAX), std::nullopt);
}

TEST(LockCost, DoublesAndFalls) {
  EXPECT_EQ(lock_cost({1000, 10}, 10, 100, 0), 2000u);
  EXPECT_EQ(lock_cost({1000, 10}, 110, 100, 0), 1000u);
  EXPECT_EQ(lock_cost({1000, 10}, 10'000, 100, 77), 77u);
  EXPECT_EQ(lock_cost({1000, 0}, 0, 100, 0), 1000u);
  EXPECT_EQ(lock_cost({1000, 10}, 110, 0, 0), 2000u);
  EXPECT_EQ(lock_cost({UINT64_MAX, 1}, UINT64_MAX, 1, 3), 3u);
}

TEST(LockCost, ItsIntervalHalvesWithTheEmission) {
  EXPECT_EQ(lock_reduction_interval(100'800, 1'000'000'000), 100'800u);
  EXPECT_EQ(lock_reduction_interval(100'800, 500'000'000), 50'400u);
  EXPECT_EQ(lock_reduction_interval(100'800, 0), 0u);
}

TEST(MedianPrice, IsTheMiddleOfThePositiveOnes) {
  const auto price = [](std::uint64_t value) { return fixed_from<U64F64>(value); };
  EXPECT_EQ(median_price({}), U64F64::one());
  EXPECT_EQ(median_price(std::vector<U64F64>{price(0), price(4)}), price(4));
  EXPECT_EQ(median_price(std::vector<U64F64>{price(9), price(2), price(4), price(6)}), price(5));
}

TEST(LaunchReserves, HoldTheLockAtThePrice) {
  const auto quarter = U64F64::from_bits(U64F64::one().bits / 4);
  EXPECT_EQ(launch_reserves(1000, 10, quarter).alpha, 4000u);
  EXPECT_EQ(launch_reserves(1, 10, quarter).tao, 10u);
  EXPECT_EQ(launch_reserves(1000, 10, U64F64::zero()).alpha, 0u);
}

}  // namespace
}  // namespace muster::chain
