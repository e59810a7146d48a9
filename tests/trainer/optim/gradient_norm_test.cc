#include "trainer/optim/gradient_norm.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "base/prng.h"

namespace muster::trainer {
namespace {

TEST(GradientNorm, SumsSquaresOfEveryLength) {
  Team team(1);
  for (const std::size_t count : {0, 1, 7, 8, 9, 65535, 65536, 65537, 200001}) {
    const std::vector<float> threes(count, 3.0f);
    EXPECT_DOUBLE_EQ(sum_squares(threes, team), 9.0 * static_cast<double>(count));
  }
}

TEST(GradientNorm, IsEqualInBitsForAnyNumberOfThreads) {
  Prng random(1);
  std::vector<float> values(300'000);
  for (float& value : values) value = static_cast<float>(random.uniform() - 0.5);
  Team alone(1);
  const double one = sum_squares(values, alone);
  for (const unsigned threads : {2u, 5u}) {
    Team team(threads);
    EXPECT_EQ(sum_squares(values, team), one);
  }
}

TEST(GradientNorm, LetsNonFiniteNumbersThrough) {
  Team team(1);
  EXPECT_TRUE(std::isnan(
      sum_squares(std::vector<float>{1, std::numeric_limits<float>::quiet_NaN()}, team)));
  EXPECT_TRUE(
      std::isinf(sum_squares(std::vector<float>{1, std::numeric_limits<float>::infinity()}, team)));
}

TEST(ClipFactor, ShortensLongGradientsOnly) {
  EXPECT_DOUBLE_EQ(clip_factor(0.5, 1.0), 1.0);
  EXPECT_NEAR(clip_factor(4.0, 1.0), 0.25, 1e-6);
  EXPECT_DOUBLE_EQ(clip_factor(4.0, 0.0), 1.0) << "0: none";
}

}  // namespace
}  // namespace muster::trainer
