#include "compression/quantize.h"

#include <gtest/gtest.h>

#include "base/prng.h"

namespace muster::compression {
namespace {

TEST(Bf16, RoundsToNearestEven) {
  EXPECT_EQ(to_bf16(1.0f), 0x3f80);
  EXPECT_EQ(to_bf16(1.00390625f), 0x3f80) << "halfway goes to the even neighbour";
  EXPECT_EQ(to_bf16(1.01171875f), 0x3f82) << "halfway goes to the even neighbour";
  EXPECT_EQ(from_bf16(0x3f80), 1.0f);
}

TEST(Bf16, KnowsWhatCanBeALevel) {
  EXPECT_TRUE(is_level(0x3f80));
  EXPECT_FALSE(is_level(0x0000)) << "zero";
  EXPECT_FALSE(is_level(0x007f)) << "denormal";
  EXPECT_FALSE(is_level(0x7f80)) << "infinity";
  EXPECT_FALSE(is_level(0xbf80)) << "negative";
}

TEST(Quantise, TakesTheMeanMagnitudeForSigns) {
  const std::vector<float> magnitudes{1, 2, 3};
  EXPECT_EQ(from_bf16(quantise(magnitudes, ValueFormat::kSign).low), 2.0f);
}

TEST(Quantise, SeparatesTwoClusters) {
  const std::vector<float> magnitudes{1, 1, 1, 9, 9};
  const Levels levels = quantise(magnitudes, ValueFormat::kSignMagnitude);
  EXPECT_EQ(from_bf16(levels.low), 1.0f);
  EXPECT_EQ(from_bf16(levels.high), 9.0f);
  EXPECT_EQ(levels.is_high, (std::vector<bool>{false, false, false, true, true}));
}

TEST(Quantise, UsesOneLevelWhenAllAreEqual) {
  const std::vector<float> magnitudes{3, 3};
  const Levels levels = quantise(magnitudes, ValueFormat::kSignMagnitude);
  EXPECT_EQ(levels.low, levels.high);
}

TEST(Quantise, GivesTheSameLevelsAgainForWhatItGave) {
  Prng random(5);
  for (int trial = 0; trial < 500; ++trial) {
    std::vector<float> magnitudes(1 + random.below(64));
    for (float& m : magnitudes) m = static_cast<float>(0.001 + random.uniform());
    const Levels once = quantise(magnitudes, ValueFormat::kSignMagnitude);
    for (std::size_t i = 0; i < magnitudes.size(); ++i)
      magnitudes[i] = from_bf16(once.is_high[i] ? once.high : once.low);
    const Levels again = quantise(magnitudes, ValueFormat::kSignMagnitude);
    EXPECT_EQ(again.low, once.low) << "trial " << trial;
    EXPECT_EQ(again.high, once.high) << "trial " << trial;
    EXPECT_EQ(again.is_high, once.is_high) << "trial " << trial;
  }
}

}  // namespace
}  // namespace muster::compression
