#include "chain/yuma/mechanism.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <numeric>

#include "tests/chain/epoch_fixture.h"

namespace muster::chain {
namespace {

TEST(MechanismIndex, IsTheNetuidForTheFirstAndSaturates) {
  EXPECT_EQ(mechanism_index(7, 0), 7);
  EXPECT_EQ(mechanism_index(7, 1), 4103);
  EXPECT_EQ(mechanism_index(4095, 15), 65535);
  EXPECT_EQ(mechanism_index(4096, 15), 65535);
  EXPECT_EQ(mechanism_index(0, 16), 65535);
}

TEST(SplitEmission, GivesTheRestToTheFirst) {
  EXPECT_EQ(split_emission(10, 3, {}), (std::vector<std::uint64_t>{4, 3, 3}));
  EXPECT_EQ(split_emission(10, 2, {{32768, 32767}}), (std::vector<std::uint64_t>{6, 4}));
}

TEST(SplitEmission, PadsAndCutsTheParts) {
  EXPECT_EQ(split_emission(100, 2, {{1}}), (std::vector<std::uint64_t>{100, 0}));
  EXPECT_EQ(split_emission(100, 1, {{0, 65535}}), (std::vector<std::uint64_t>{100}));
  EXPECT_TRUE(split_emission(100, 0, {}).empty());
}

TEST(CombineMechanisms, OfOneIsThatOne) {
  EpochInput input = subnet_of({1000, 1000, 0});
  input.weights = rows_of({{{2, 65535}}, {{2, 65535}}, {}});
  const std::vector<EpochOutput> outputs{run_epoch(input)};
  const std::vector<std::uint64_t> emissions{input.emission};
  const EpochOutput total = combine_mechanisms(outputs, emissions, input.emission);
  EXPECT_EQ(total.dividends, outputs[0].dividends);
  EXPECT_EQ(total.emission, outputs[0].emission);
  EXPECT_EQ(total.validator_permit, outputs[0].validator_permit);
}

TEST(CombineMechanisms, AveragesByEmissionAndAddsAmounts) {
  EpochInput input = subnet_of({1000, 1000, 0});
  input.weights = rows_of({{{2, 65535}}, {{2, 65535}}, {}});
  const std::vector<EpochOutput> outputs{run_epoch(input), run_epoch(subnet_of({1000, 1000, 0}))};
  const std::vector<std::uint64_t> emissions{750, 250};
  const EpochOutput total = combine_mechanisms(outputs, emissions, 1000);
  EXPECT_EQ(total.consensus[2], 49151);
  EXPECT_EQ(total.stake[0], 2000u);
  EXPECT_EQ(total.validator_emission[0],
            outputs[0].validator_emission[0] + outputs[1].validator_emission[0]);
}

TEST(CombineMechanisms, WithoutEmissionTheFirstCountsAlone) {
  const std::vector<EpochOutput> outputs{run_epoch(subnet_of({1000, 3000})),
                                         run_epoch(subnet_of({3000, 1000}))};
  const std::vector<std::uint64_t> emissions{0, 0};
  EXPECT_EQ(combine_mechanisms(outputs, emissions, 0).stake_weight, outputs[0].stake_weight);
}

RC_GTEST_PROP(SplitEmission, LosesNothing, (std::uint64_t emission, std::uint8_t count)) {
  RC_PRE(count > 0);
  const auto parts = split_emission(emission, count, {});
  RC_ASSERT(std::accumulate(parts.begin(), parts.end(), std::uint64_t{0}) == emission);
}

}  // namespace
}  // namespace muster::chain
