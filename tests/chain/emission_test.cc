#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cmath>
#include <numeric>

#include "chain/economy/block_emission.h"
#include "chain/economy/emission_gate.h"
#include "chain/economy/emission_shares.h"
#include "chain/economy/injection.h"
#include "chain/economy/moving_price.h"
#include "chain/fixed/transcendental.h"

namespace muster::chain {
namespace {

// The source's own steps, with a logarithm in fixed point.
std::uint64_t emission_by_logarithm(std::uint64_t issuance) {
  const auto issued = fixed_from<I96F32>(issuance);
  const auto supply = fixed_from<I96F32>(kIssuanceMax);
  if (issued >= supply) return 0;
  const I96F32 rest = I96F32::one() - safe_div(issued, supply);
  const auto residual = checked_log2(safe_div(I96F32::one(), rest));
  if (!residual) return 0;
  const auto halvings = integer_from<std::uint64_t>(*residual);
  I96F32 divisor = I96F32::one();
  for (std::uint64_t i = 0; i < halvings; ++i) divisor = divisor * fixed_from<I96F32>(2);
  return integer_from<std::uint64_t>(safe_div(I96F32::one(), divisor) *
                                     fixed_from<I96F32>(kFirstBlockEmission));
}

rc::Gen<std::vector<SubnetDemand>> any_demand() {
  return rc::gen::container<std::vector<SubnetDemand>>(rc::gen::exec([] {
    return SubnetDemand{
        U64F64::from_bits(Uint128{*rc::gen::arbitrary<std::uint64_t>()} << 4),
        U96F32::from_bits(*rc::gen::inRange<std::uint64_t>(0, std::uint64_t{5} << 30)),
        *rc::gen::arbitrary<bool>()};
  }));
}

U64F64 sum(const std::vector<U64F64>& shares) { return wrapping_sum<U64F64>(shares); }

TEST(BlockEmission, HalvesAtItsThresholdsAsTheLogarithmDoes) {
  for (int halving = 1; halving < 40; ++halving) {
    const std::uint64_t threshold = issuance_at_halving(halving);
    for (std::uint64_t issuance = threshold - 3; issuance <= threshold + 3; ++issuance)
      EXPECT_EQ(block_emission(issuance), emission_by_logarithm(issuance)) << issuance;
    EXPECT_EQ(block_emission(threshold), kFirstBlockEmission >> std::min(halving, 32));
  }
}

TEST(BlockEmission, EndsWithTheSupply) {
  EXPECT_EQ(block_emission(0), kFirstBlockEmission);
  EXPECT_EQ(block_emission(kIssuanceMax - 1), 0u);
  EXPECT_EQ(block_emission(kIssuanceMax), 0u);
  EXPECT_EQ(block_emission(UINT64_MAX), 0u);
}

RC_GTEST_PROP(BlockEmission, IsTheLogarithmsEverywhere, ()) {
  const auto issuance = *rc::gen::inRange<std::uint64_t>(0, kIssuanceMax + 10);
  RC_ASSERT(block_emission(issuance) == emission_by_logarithm(issuance));
}

TEST(EmissionShares, OfNobodyAreNone) { EXPECT_TRUE(emission_shares({}).empty()); }

TEST(EmissionShares, WithoutPricesAreZero) {
  const std::vector<SubnetDemand> subnets(2);
  EXPECT_EQ(emission_shares(subnets), std::vector<U64F64>(2));
}

TEST(EmissionShares, CountPricesAloneWhereAllIsBurned) {
  const std::vector<SubnetDemand> subnets(2, {U64F64::one(), U96F32::one(), true});
  EXPECT_EQ(emission_shares(subnets)[0].bits, U64F64::one().bits / 2);
}

TEST(EnabledShares, AreZeroWhereAllAreDisabled) {
  const std::vector<SubnetDemand> subnets(2, {U64F64::one(), U96F32::zero(), false});
  EXPECT_EQ(enabled_shares(emission_shares(subnets), subnets), std::vector<U64F64>(2));
}

RC_GTEST_PROP(EmissionShares, SumToOneButForRounding, ()) {
  const auto subnets = *any_demand();
  const auto shares = emission_shares(subnets);
  RC_PRE(sum(shares) > U64F64::zero());
  RC_ASSERT(sum(shares) <= U64F64::one());
  RC_ASSERT(sum(shares).bits + subnets.size() >= U64F64::one().bits);
}

RC_GTEST_PROP(EnabledShares, LeaveNothingToTheDisabled, ()) {
  const auto subnets = *any_demand();
  const auto shares = enabled_shares(emission_shares(subnets), subnets);
  for (std::size_t i = 0; i < subnets.size(); ++i)
    RC_ASSERT(subnets[i].emission_enabled || shares[i] == U64F64::zero());
}

TEST(RootAlpha, IsPaidAboveOneOnly) {
  EXPECT_FALSE(root_alpha_is_paid({}));
  EXPECT_FALSE(root_alpha_is_paid(std::vector<U64F64>{U64F64::one()}));
  EXPECT_TRUE(root_alpha_is_paid(std::vector<U64F64>{U64F64::one(), U64F64::from_bits(1)}));
}

TEST(EmissionGate, PassesHalfAtTheBar) {
  const std::vector<U64F64> shares{U64F64::from_bits(U64F64::one().bits / 4),
                                   U64F64::from_bits(U64F64::one().bits / 4)};
  const auto gated = gated_shares(shares, shares[0], fixed_from<U64F64>(3));
  EXPECT_EQ(gated[0], gated[1]);
  EXPECT_EQ(gated[0].bits, U64F64::one().bits / 2);
}

TEST(EmissionGate, KeepsItsBarBetweenUpdates) {
  const std::vector<U64F64> shares{U64F64::one()};
  const U64F64 stored = U64F64::from_bits(7);
  EXPECT_EQ(gate_bar(shares, {}, stored, 359), stored);
  EXPECT_EQ(gate_bar(shares, {}, stored, 360), U64F64::one());
  EXPECT_EQ(gate_bar(shares, {}, U64F64::zero(), 359), U64F64::one());
  EXPECT_EQ(gate_bar({}, {}, stored, 360), stored);
}

TEST(EmissionGate, BarIsTheShareOfItsRankOrTheLastPositive) {
  const std::vector<U64F64> shares{U64F64::from_bits(3), U64F64::zero(), U64F64::from_bits(9),
                                   U64F64::from_bits(5)};
  GateParameters parameters;
  parameters.rank = 2;
  EXPECT_EQ(gate_bar(shares, parameters, {}, 0).bits, 5u);
  parameters.rank = 100;
  EXPECT_EQ(gate_bar(shares, parameters, {}, 0).bits, 3u);
}

TEST(Injection, IsCappedByTheRootProportion) {
  const auto half = U96F32::from_bits(U96F32::one().bits / 2);
  const InjectionTerms terms =
      injection_terms(fixed_from<U96F32>(std::uint64_t{800'000'000}), U64F64::one(), 0, half);
  EXPECT_EQ(integer_from<std::uint64_t>(terms.alpha_in), 500'000'000u);
  EXPECT_EQ(integer_from<std::uint64_t>(terms.tao_in), 500'000'000u);
  EXPECT_EQ(integer_from<std::uint64_t>(terms.excess_tao), 300'000'000u);
}

TEST(Injection, AtAPriceOfZeroGivesNoAlpha) {
  const auto emission = fixed_from<U96F32>(std::uint64_t{1000});
  const InjectionTerms terms = injection_terms(emission, U64F64::zero(), 0, U96F32::one());
  EXPECT_EQ(terms.alpha_in, U96F32::zero());
  EXPECT_EQ(terms.tao_in, emission);
}

TEST(RootProportion, OfNothingIsZero) {
  EXPECT_EQ(root_proportion(0, U96F32::one(), 0), U96F32::zero());
  EXPECT_EQ(root_proportion(5, U96F32::one(), 0), U96F32::one());
}

RC_GTEST_PROP(AlphaOut, SplitsAreNeverMoreThanTheWhole,
              (std::uint16_t cut, std::uint32_t proportion)) {
  const auto whole = *rc::gen::inRange<std::uint64_t>(0, kFirstBlockEmission + 1);
  const AlphaOutSplit split = split_alpha_out(fixed_from<U96F32>(whole), fraction_of_u16(cut),
                                              U96F32::from_bits(proportion));
  const std::uint64_t paid = split.owner_cut + split.server + split.validator + split.root_alpha;
  RC_ASSERT(paid <= whole);
  RC_ASSERT(paid + 4 > whole);
}

TEST(MovingPrice, StaysWhereItIsBeforeTheStart) {
  const I96F32 price = I96F32::from_bits(12345);
  EXPECT_EQ(next_moving_price(price, U64F64::one(), I96F32::one(), 0, 201'600), price);
}

TEST(MovingPrice, CountsSpotPricesUpToOne) {
  const I96F32 at_one = next_moving_price({}, U64F64::one(), I96F32::one(), 100, 100);
  EXPECT_EQ(next_moving_price({}, U64F64::max(), I96F32::one(), 100, 100), at_one);
}

RC_GTEST_PROP(MovingPrice, MovesTowardsTheSpotPrice, (std::uint32_t from, std::uint32_t to)) {
  const I96F32 before = I96F32::from_bits(from);
  const auto spot = fixed_from<U64F64>(I96F32::from_bits(to));
  const I96F32 after =
      next_moving_price(before, spot, I96F32::from_bits(429496730), 201'600, 201'600);
  RC_ASSERT(after.bits <= std::max(before.bits, Int128{to}));
  RC_ASSERT(after.bits + 2 >= std::min(before.bits, Int128{to}));
}

}  // namespace
}  // namespace muster::chain
