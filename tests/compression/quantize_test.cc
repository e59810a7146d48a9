#include "compression/quantize.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "base/prng.h"

namespace muster::compression {
namespace {

struct Quantised {
  Levels levels;
  std::vector<std::uint8_t> classes;
  bool operator==(const Quantised&) const = default;
};

Quantised quantised(const std::vector<float>& magnitudes, unsigned bits) {
  Quantised result{{}, std::vector<std::uint8_t>(magnitudes.size())};
  result.levels = quantise(magnitudes, bits, result.classes);
  return result;
}

double error_of(const std::vector<float>& magnitudes, const Quantised& q) {
  double error = 0;
  for (std::size_t i = 0; i < magnitudes.size(); ++i)
    error += std::pow(static_cast<double>(magnitudes[i] - from_bf16(q.levels[q.classes[i]])), 2);
  return error;
}

std::vector<float> random_magnitudes(Prng& random, std::size_t count) {
  std::vector<float> magnitudes(count);
  for (float& m : magnitudes) m = static_cast<float>(0.001 + std::pow(random.uniform(), 3));
  return magnitudes;
}

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
  EXPECT_EQ(from_bf16(quantised({1, 2, 3}, 0).levels[0]), 2.0f);
}

TEST(Quantise, SeparatesTwoClusters) {
  const Quantised q = quantised({1.01f, 1, 0.99f, 9, 9.01f}, 1);
  EXPECT_EQ(from_bf16(q.levels[0]), 1.0f);
  EXPECT_EQ(from_bf16(q.levels[1]), 9.0f);
  EXPECT_EQ(q.classes, (std::vector<std::uint8_t>{0, 0, 0, 1, 1}));
}

TEST(Quantise, RepeatsTheLastLevelWhenFewerAreEnough) {
  const Quantised q = quantised({3, 3, 5}, 2);
  EXPECT_EQ(from_bf16(q.levels[0]), 3.0f);
  for (std::size_t c = 1; c < q.levels.size(); ++c) EXPECT_EQ(from_bf16(q.levels[c]), 5.0f);
}

TEST(Quantise, UsesEveryDifferentLevel) {
  Prng random(4);
  for (unsigned bits = 0; bits <= 3; ++bits) {
    for (int trial = 0; trial < 300; ++trial) {
      const Quantised q = quantised(random_magnitudes(random, 1 + random.below(40)), bits);
      ASSERT_TRUE(std::is_sorted(q.levels.begin(), q.levels.end()));
      for (std::size_t c = 0; c < q.levels.size(); ++c) {
        const bool is_new = c == 0 || q.levels[c] != q.levels[c - 1];
        const bool is_used = std::count(q.classes.begin(), q.classes.end(), c) > 0;
        ASSERT_EQ(is_used, is_new) << "level " << c << " of " << bits << " bits, trial " << trial;
      }
    }
  }
}

TEST(Quantise, IsMoreExactWithMoreLevels) {
  Prng random(6);
  const auto magnitudes = random_magnitudes(random, 256);
  double before = error_of(magnitudes, quantised(magnitudes, 0));
  for (unsigned bits = 1; bits <= 3; ++bits) {
    const double error = error_of(magnitudes, quantised(magnitudes, bits));
    EXPECT_LT(error, before / 2) << bits << " bits";
    before = error;
  }
}

TEST(Quantise, GivesTheSameLevelsAgainForWhatItGave) {
  Prng random(5);
  for (unsigned bits = 0; bits <= 3; ++bits) {
    for (int trial = 0; trial < 300; ++trial) {
      auto magnitudes = random_magnitudes(random, 1 + random.below(64));
      const Quantised once = quantised(magnitudes, bits);
      for (std::size_t i = 0; i < magnitudes.size(); ++i)
        magnitudes[i] = from_bf16(once.levels[once.classes[i]]);
      ASSERT_EQ(quantised(magnitudes, bits), once) << bits << " bits, trial " << trial;
    }
  }
}

TEST(Quantise, ClampsLevelsToNormalNumbers) {
  EXPECT_EQ(quantised({3.4e38f, 3.4e38f}, 0).levels[0], 0x7f7f);
  EXPECT_EQ(quantised({1.18e-38f}, 0).levels[0], 0x0080);
}

TEST(ScaledHalf, KeepsElevenBitsBelowTheBlocksLargest) {
  Prng random(8);
  for (int trial = 0; trial < 20000; ++trial) {
    const float largest = std::ldexp(static_cast<float>(0.5 + random.uniform() / 2),
                                     static_cast<int>(random.below(200)) - 100);
    const std::uint32_t exponent = block_exponent(largest);
    const auto value =
        static_cast<float>(static_cast<double>(largest) * std::pow(random.uniform(), 4));
    if (!std::isnormal(value)) continue;
    const std::uint16_t half = to_scaled_half(value, exponent);
    const float again = from_scaled_half(half, exponent);
    const float unit = std::ldexp(1.0f, static_cast<int>(exponent) - 150);
    ASSERT_NEAR(again, value, std::max(value * 0x1p-11f, unit)) << value << " beside " << largest;
    ASSERT_EQ(to_scaled_half(again, exponent), half);
    ASSERT_GE(to_scaled_half(largest, exponent), 0x3800);
    ASSERT_LT(to_scaled_half(largest, exponent), 0x3c00);
  }
}

TEST(ScaledHalf, NeverMakesAZeroOrADenormal) {
  for (std::uint32_t exponent : {1u, 5u, 23u, 24u, 100u, 254u}) {
    const std::uint16_t half = to_scaled_half(1.2e-38f, exponent);
    EXPECT_TRUE(std::isnormal(from_scaled_half(half, exponent))) << exponent;
  }
  EXPECT_EQ(from_scaled_half(0, 100), 0);
  EXPECT_EQ(from_scaled_half(0x3c00, 100), 0);
  EXPECT_EQ(from_scaled_half(0x3800, 0), 0);
}

}  // namespace
}  // namespace muster::compression
