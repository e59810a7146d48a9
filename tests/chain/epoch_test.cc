#include "chain/yuma/epoch.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <numeric>

#include "tests/chain/epoch_fixture.h"

namespace muster::chain {
namespace {

std::uint64_t sum(const std::vector<std::uint64_t>& values) {
  return std::accumulate(values.begin(), values.end(), std::uint64_t{0});
}

// Two validators with equal stake and two miners.
EpochInput two_and_two() {
  EpochInput input = subnet_of({1000, 1000, 0, 0});
  input.validator_permit = {true, true, false, false};
  input.weights = rows_of({{{2, 65535}, {3, 65535}}, {{2, 65535}, {3, 65535}}, {}, {}});
  return input;
}

TEST(Epoch, OfASubnetWithoutNeuronsIsEmpty) {
  EpochInput input;
  input.emission = 1'000'000'000;
  const EpochOutput output = run_epoch(input);
  EXPECT_TRUE(output.emission.empty());
  EXPECT_EQ(output.bonds.rows(), 0u);
}

TEST(Epoch, WithoutStakeAndWeightsPaysNobody) {
  const EpochOutput output = run_epoch(subnet_of({0, 0}));
  EXPECT_EQ(sum(output.emission), 0u);
  EXPECT_EQ(output.validator_permit, (std::vector<bool>{false, false}));
}

TEST(Epoch, WithoutWeightsPaysByStake) {
  const EpochOutput output = run_epoch(subnet_of({1000, 3000}));
  EXPECT_EQ(output.validator_emission, (std::vector<std::uint64_t>{250'000'000, 750'000'000}));
  EXPECT_EQ(sum(output.server_emission), 0u);
}

TEST(Epoch, WithoutActiveStakePaysByAllStake) {
  EpochInput input = subnet_of({1000, 3000});
  input.block = 1'000'000;
  const EpochOutput output = run_epoch(input);
  EXPECT_EQ(output.active, (std::vector<bool>{false, false}));
  EXPECT_EQ(output.validator_emission, (std::vector<std::uint64_t>{250'000'000, 750'000'000}));
}

TEST(Epoch, DividesBetweenMinersAndValidators) {
  const EpochOutput output = run_epoch(two_and_two());
  EXPECT_EQ(output.server_emission, (std::vector<std::uint64_t>{0, 0, 250'000'000, 250'000'000}));
  EXPECT_EQ(output.validator_emission,
            (std::vector<std::uint64_t>{250'000'000, 250'000'000, 0, 0}));
  EXPECT_EQ(output.validator_trust, (std::vector<std::uint16_t>{65535, 65535, 0, 0}));
}

TEST(Epoch, TheActivityCutoffIsInclusive) {
  EpochInput input = two_and_two();
  input.parameters.activity_cutoff_blocks = 10;
  EXPECT_EQ(run_epoch(input).active[0], true);
  input.parameters.activity_cutoff_blocks = 9;
  EXPECT_EQ(run_epoch(input).active[0], false);
}

TEST(Epoch, AnUpdateNearTheEndOfTimeIsActive) {
  EpochInput input = two_and_two();
  input.last_update[0] = UINT64_MAX;
  input.block = UINT64_MAX;
  EXPECT_TRUE(run_epoch(input).active[0]);
}

TEST(Epoch, WeightsOfWhoHasNoPermitDoNotCount) {
  EpochInput input = two_and_two();
  input.validator_permit = {true, false, false, false};
  input.weights = rows_of({{{2, 65535}}, {{3, 65535}}, {}, {}});
  const EpochOutput output = run_epoch(input);
  EXPECT_EQ(output.incentive, (std::vector<std::uint16_t>{0, 0, 65535, 0}));
  // The next permits depend on stake alone.
  EXPECT_EQ(output.validator_permit, (std::vector<bool>{true, true, false, false}));
}

TEST(Epoch, OwnWeightsCountForTheOwnerOnly) {
  EpochInput input = subnet_of({1000, 1000});
  input.weights = rows_of({{{0, 65535}}, {{1, 65535}}});
  EXPECT_EQ(run_epoch(input).incentive, (std::vector<std::uint16_t>{0, 0}));
  input.owner_uid = 0;
  input.parameters.kappa = 16384;
  EXPECT_EQ(run_epoch(input).incentive, (std::vector<std::uint16_t>{65535, 0}));
}

TEST(Epoch, TheOwnerHasAPermitWhateverItsStake) {
  EpochInput input = two_and_two();
  input.parameters.stake_threshold = 5000;
  input.owner_uid = 3;
  const EpochOutput output = run_epoch(input);
  EXPECT_EQ(output.validator_permit, (std::vector<bool>{false, false, false, true}));
}

TEST(Epoch, StakeBelowTheThresholdIsNone) {
  EpochInput input = two_and_two();
  input.alpha_stake = {999, 1000, 0, 0};
  input.parameters.stake_threshold = 1000;
  EXPECT_EQ(run_epoch(input).stake_weight, (std::vector<std::uint16_t>{0, 65535, 0, 0}));
  EXPECT_EQ(run_epoch(input).stake, (std::vector<std::uint64_t>{999, 1000, 0, 0}));
}

TEST(Epoch, RootStakeCountsByItsWeight) {
  EpochInput input = subnet_of({0, 1000});
  input.root_stake = {2000, 0};
  input.parameters.tao_weight = UINT64_MAX / 2 + 1;
  EXPECT_EQ(run_epoch(input).stake, (std::vector<std::uint64_t>{1000, 1000}));
}

TEST(Epoch, PermitsGoToTheLargestStakesAndOfEqualOnesToTheHighestUids) {
  EpochInput input = subnet_of({5, 5, 5, 9});
  input.parameters.validators_max = 2;
  EXPECT_EQ(run_epoch(input).validator_permit, (std::vector<bool>{false, false, true, true}));
}

TEST(Epoch, WeightsOlderThanTheRegistrationOfTheirMinerDoNotCount) {
  EpochInput input = two_and_two();
  input.block_at_registration[3] = 90;
  EXPECT_EQ(run_epoch(input).incentive, (std::vector<std::uint16_t>{0, 0, 65535, 0}));
  input.block_at_registration[3] = 89;
  EXPECT_EQ(run_epoch(input).incentive[2], run_epoch(input).incentive[3]);
}

TEST(Epoch, CommitsOlderThanTheRegistrationMaskItWithCommitReveal) {
  EpochInput input = two_and_two();
  input.block_at_registration[3] = 80;
  input.commit_block = {79, 79};
  EXPECT_GT(run_epoch(input).incentive[3], 0);
  input.parameters.commit_reveal = true;
  EXPECT_EQ(run_epoch(input).incentive[3], 0);
  input.commit_block = {80, kNoCommit};
  EXPECT_GT(run_epoch(input).incentive[3], 0);
}

TEST(Epoch, BondsOfANewMinerStartAnew) {
  EpochInput input = two_and_two();
  input.bonds = rows_of({{{3, 65535}}, {}, {}, {}});
  input.last_step_block = 50;
  input.block_at_registration[3] = 50;
  EXPECT_GT(run_epoch(input).dividends[0], run_epoch(input).dividends[1]);
  input.block_at_registration[3] = 51;
  EXPECT_EQ(run_epoch(input).dividends[0], run_epoch(input).dividends[1]);
}

TEST(Epoch, WithoutAnEarlierOneTheLastIsATempoAgo) {
  EpochInput input = two_and_two();
  input.bonds = rows_of({{{3, 65535}}, {}, {}, {}});
  input.last_step_block = 0;
  input.parameters.tempo = 49;
  input.block_at_registration[3] = 50;
  EXPECT_GT(run_epoch(input).dividends[0], run_epoch(input).dividends[1]);
  input.parameters.tempo = 50;
  EXPECT_EQ(run_epoch(input).dividends[0], run_epoch(input).dividends[1]);
}

TEST(Epoch, BondsOfWhoLosesItsPermitAreNotStored) {
  EpochInput input = two_and_two();
  input.alpha_stake[1] = 500;
  input.parameters.validators_max = 1;
  const EpochOutput output = run_epoch(input);
  EXPECT_FALSE(output.bonds.row(0).empty());
  EXPECT_TRUE(output.bonds.row(1).empty());
}

TEST(Epoch, ClassicBondsAreStoredUpToTheirMaximum) {
  EpochInput input = two_and_two();
  input.parameters.yuma3 = false;
  input.alpha_stake[1] = 500;
  const EpochOutput output = run_epoch(input);
  EXPECT_EQ(output.bonds.row(0)[0].value, 65535);
  EXPECT_LT(output.bonds.row(1)[0].value, 65535);
}

TEST(Epoch, LiquidAlphaForgetsBondsWithoutAWeight) {
  EpochInput input = two_and_two();
  input.weights = rows_of({{{2, 65535}}, {{2, 65535}, {3, 0}}, {}, {}});
  input.bonds = rows_of({{{3, 40000}}, {{3, 40000}}, {}, {}});
  input.parameters.liquid_alpha = true;
  const EpochOutput output = run_epoch(input);
  ASSERT_EQ(output.bonds.row(0).size(), 1u);
  // A weight of zero keeps it.
  ASSERT_EQ(output.bonds.row(1).size(), 2u);
  EXPECT_EQ(output.bonds.row(1)[1].column, 3);
}

TEST(Epoch, ColumnsBeyondTheNeuronsAreIgnored) {
  EpochInput input = two_and_two();
  const EpochOutput before = run_epoch(input);
  input.weights =
      rows_of({{{2, 65535}, {3, 65535}, {4, 65535}}, {{2, 65535}, {3, 65535}, {65535, 9}}, {}, {}});
  input.bonds = rows_of({{{9, 65535}}, {}, {}, {}});
  EXPECT_EQ(run_epoch(input).incentive, before.incentive);
  EXPECT_EQ(run_epoch(input).bonds, before.bonds);
}

TEST(Epoch, ShortListsCountAsInactiveAndWithoutPermit) {
  EpochInput input = two_and_two();
  input.last_update = {90};
  input.validator_permit = {true};
  const EpochOutput output = run_epoch(input);
  EXPECT_EQ(output.active, (std::vector<bool>{true, false, false, false}));
  EXPECT_EQ(output.exact.active_stake[0], I32F32::one());
  EXPECT_EQ(output.exact.active_stake[1], I32F32::zero());
}

TEST(Epoch, SurvivesStakesOfAllBits) {
  EpochInput input = two_and_two();
  input.alpha_stake = {UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX};
  input.root_stake = input.alpha_stake;
  input.parameters.tao_weight = UINT64_MAX;
  input.emission = UINT64_MAX;
  EXPECT_EQ(run_epoch(input).emission.size(), 4u);
}

EpochInput any_subnet() {
  const auto neurons = *rc::gen::inRange<std::uint16_t>(1, 14);
  const auto stakes = *rc::gen::container<std::vector<std::uint64_t>>(
      neurons, rc::gen::oneOf(rc::gen::just<std::uint64_t>(0),
                              rc::gen::inRange<std::uint64_t>(0, 1'000'000'000'000'000)));
  EpochInput input = subnet_of(stakes);
  const auto rows = [&] {
    std::vector<std::vector<Weight>> result(neurons);
    for (auto& row : result)
      for (std::uint16_t j = 0; j < neurons; ++j)
        if (*rc::gen::arbitrary<bool>()) row.push_back({j, *rc::gen::arbitrary<std::uint16_t>()});
    return rows_of(result);
  };
  input.weights = rows();
  input.bonds = rows();
  for (std::uint16_t i = 0; i < neurons; ++i)
    input.validator_permit[i] = *rc::gen::arbitrary<bool>();
  input.parameters.kappa = *rc::gen::arbitrary<std::uint16_t>();
  input.parameters.bonds_penalty = *rc::gen::arbitrary<std::uint16_t>();
  input.parameters.bonds_moving_average = *rc::gen::inRange<std::uint64_t>(0, 1'000'001);
  input.parameters.yuma3 = *rc::gen::arbitrary<bool>();
  input.parameters.liquid_alpha = *rc::gen::arbitrary<bool>();
  return input;
}

RC_GTEST_PROP(Epoch, PaysAtMostTheEmissionAndNearlyAllOfIt, ()) {
  const EpochInput input = any_subnet();
  const EpochOutput output = run_epoch(input);
  const std::uint64_t paid = sum(output.server_emission) + sum(output.validator_emission);
  RC_ASSERT(paid <= input.emission);
  if (sum(output.stake) > 0) RC_ASSERT(paid + 2 * input.neurons() + 4 >= input.emission);
  RC_ASSERT(sum(output.emission) <= input.emission);
}

RC_GTEST_PROP(Epoch, IsAFunctionOfItsInput, ()) {
  const EpochInput input = any_subnet();
  const EpochOutput once = run_epoch(input);
  const EpochOutput again = run_epoch(input);
  RC_ASSERT(once.bonds == again.bonds);
  RC_ASSERT(once.emission == again.emission);
}

RC_GTEST_PROP(Epoch, OnlyPermittedNeuronsHoldBonds, ()) {
  const EpochOutput output = run_epoch(any_subnet());
  for (std::size_t i = 0; i < output.validator_permit.size(); ++i)
    RC_ASSERT(output.validator_permit[i] || output.bonds.row(i).empty());
}

RC_GTEST_PROP(Epoch, DoesNotSeeTheScaleOfStakes, ()) {
  EpochInput input = any_subnet();
  const EpochOutput before = run_epoch(input);
  for (std::uint64_t& stake : input.alpha_stake) stake *= 2;
  const EpochOutput after = run_epoch(input);
  RC_ASSERT(before.incentive == after.incentive);
  RC_ASSERT(before.dividends == after.dividends);
}

}  // namespace
}  // namespace muster::chain
