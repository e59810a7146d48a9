#include "chain/yuma/liquid_alpha.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace muster::chain {
namespace {

const LiquidAlpha kUsual = LiquidAlpha::from_parameters(45875, 58982, 1000);

I32F32 tenths(int value) { return I32F32::from_bits(I32F32::one().bits / 10 * value); }

TEST(LiquidAlpha, IsLowForAWeightAtConsensus) {
  const I32F32 alpha = liquid_alpha(kUsual, tenths(5), tenths(5), tenths(5));
  EXPECT_GE(alpha, kUsual.low);
  EXPECT_LT(alpha - kUsual.low, tenths(1));
}

TEST(LiquidAlpha, RisesWithTheDistanceFromConsensus) {
  const I32F32 near = liquid_alpha(kUsual, tenths(4), tenths(5), tenths(5));
  const I32F32 far = liquid_alpha(kUsual, tenths(0), tenths(9), tenths(5));
  EXPECT_LT(near, far);
  EXPECT_LE(far, kUsual.high);
}

TEST(LiquidAlpha, LooksAtTheBondWhereTheWeightIsBelowIt) {
  // Selling: consensus plays no part.
  EXPECT_EQ(liquid_alpha(kUsual, tenths(0), tenths(1), tenths(9)),
            liquid_alpha(kUsual, tenths(7), tenths(1), tenths(9)));
}

TEST(LiquidAlpha, ANegativeSteepnessTurnsTheCurveAround) {
  const auto reversed = LiquidAlpha::from_parameters(45875, 58982, -1000);
  EXPECT_GT(liquid_alpha(reversed, tenths(5), tenths(5), tenths(5)),
            liquid_alpha(reversed, tenths(0), tenths(9), tenths(5)));
}

TEST(LiquidAlpha, WithoutSteepnessIsTheMiddle) {
  const auto flat = LiquidAlpha::from_parameters(0, 65535, 0);
  EXPECT_EQ(liquid_alpha(flat, tenths(1), tenths(9), tenths(0)).bits, I32F32::one().bits / 2);
}

TEST(LiquidAlpha, WithItsEndsExchangedIsTheLowOne) {
  const auto exchanged = LiquidAlpha::from_parameters(58982, 45875, 1000);
  EXPECT_EQ(liquid_alpha(exchanged, tenths(0), tenths(9), tenths(5)), exchanged.low);
}

RC_GTEST_PROP(LiquidAlpha, StaysWithinItsEnds,
              (std::int64_t consensus, std::int64_t weight, std::int64_t bond,
               std::int16_t steepness)) {
  const auto parameters = LiquidAlpha::from_parameters(45875, 58982, steepness);
  const I32F32 alpha = liquid_alpha(parameters, I32F32::from_bits(consensus),
                                    I32F32::from_bits(weight), I32F32::from_bits(bond));
  RC_ASSERT(alpha >= parameters.low);
  RC_ASSERT(alpha <= parameters.high);
}

}  // namespace
}  // namespace muster::chain
