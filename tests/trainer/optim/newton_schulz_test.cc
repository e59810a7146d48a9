#include "trainer/optim/newton_schulz.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/prng.h"

namespace muster::trainer {
namespace {

std::vector<float> random_matrix(std::size_t elements, std::uint64_t seed) {
  Prng random(seed);
  std::vector<float> values(elements);
  for (float& value : values) value = static_cast<float>(random.uniform() - 0.5);
  return values;
}

// Off the diagonal of XXᵀ nothing is left, on it squares of 0.68 to 1.21 (the range of the post).
TEST(NewtonSchulz, BringsRowsNearOrthonormal) {
  constexpr std::size_t kRows = 12, kColumns = 40;
  auto matrix = random_matrix(kRows * kColumns, 1);
  NewtonSchulz newton_schulz;
  newton_schulz.orthogonalize(matrix, kRows, kColumns);
  for (std::size_t a = 0; a < kRows; ++a) {
    for (std::size_t b = 0; b < kRows; ++b) {
      double dot = 0;
      for (std::size_t k = 0; k < kColumns; ++k)
        dot += static_cast<double>(matrix[a * kColumns + k]) *
               static_cast<double>(matrix[b * kColumns + k]);
      if (a == b)
        EXPECT_NEAR(dot, 0.9, 0.6);
      else
        EXPECT_NEAR(dot, 0, 0.35);
    }
  }
}

TEST(NewtonSchulz, TreatsATallMatrixAsItsTranspose) {
  constexpr std::size_t kRows = 9, kColumns = 5;
  auto tall = random_matrix(kRows * kColumns, 2);
  std::vector<float> wide(tall.size());
  for (std::size_t i = 0; i < kRows; ++i)
    for (std::size_t j = 0; j < kColumns; ++j) wide[j * kRows + i] = tall[i * kColumns + j];
  NewtonSchulz newton_schulz;
  newton_schulz.orthogonalize(tall, kRows, kColumns);
  newton_schulz.orthogonalize(wide, kColumns, kRows);
  for (std::size_t i = 0; i < kRows; ++i)
    for (std::size_t j = 0; j < kColumns; ++j)
      EXPECT_NEAR(wide[j * kRows + i], tall[i * kColumns + j], 1e-5f);
}

TEST(NewtonSchulz, DoesNotCareForTheScale) {
  auto small = random_matrix(48, 3);
  auto large = small;
  for (float& value : large) value *= 1024;
  NewtonSchulz newton_schulz;
  newton_schulz.orthogonalize(small, 6, 8);
  newton_schulz.orthogonalize(large, 6, 8);
  for (std::size_t i = 0; i < small.size(); ++i) EXPECT_NEAR(small[i], large[i], 1e-6f);
}

TEST(NewtonSchulz, LeavesZeroAtZero) {
  std::vector<float> zero(12);
  NewtonSchulz newton_schulz;
  newton_schulz.orthogonalize(zero, 3, 4);
  EXPECT_EQ(zero, std::vector<float>(12));
}

}  // namespace
}  // namespace muster::trainer
