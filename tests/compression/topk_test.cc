#include "compression/topk.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "base/prng.h"

namespace muster::compression {
namespace {

std::vector<std::uint32_t> top(const std::vector<float>& block, std::uint32_t keep) {
  std::vector<std::uint32_t> selected;
  EXPECT_TRUE(select_top(block, keep, selected));
  return selected;
}

// The definition, word for word.
std::vector<std::uint32_t> naive_top(const std::vector<float>& block, std::uint32_t keep) {
  std::vector<std::uint32_t> order;
  for (std::uint32_t i = 0; i < block.size(); ++i)
    if (std::fabs(block[i]) >= std::numeric_limits<float>::min()) order.push_back(i);
  std::stable_sort(order.begin(), order.end(), [&](std::uint32_t a, std::uint32_t b) {
    return std::fabs(block[a]) > std::fabs(block[b]);
  });
  order.resize(std::min<std::size_t>(order.size(), keep));
  std::sort(order.begin(), order.end());
  return order;
}

TEST(TopK, BreaksTiesTowardLowerIndex) {
  EXPECT_EQ(top({1, -1, 1, -1}, 2), (std::vector<std::uint32_t>{0, 1}));
}

TEST(TopK, IgnoresTheSign) {
  EXPECT_EQ(top({1, -3, 2}, 2), (std::vector<std::uint32_t>{1, 2}));
}

TEST(TopK, NeverSelectsZerosOrDenormals) {
  const float denormal = std::numeric_limits<float>::denorm_min();
  EXPECT_EQ(top({0.0f, -0.0f, denormal, 1e-30f}, 3), (std::vector<std::uint32_t>{3}));
  EXPECT_TRUE(top({0, 0}, 2).empty());
}

TEST(TopK, RefusesNonFiniteValuesByIndex) {
  std::vector<std::uint32_t> selected;
  for (float bad : {std::numeric_limits<float>::infinity(), std::nanf("")}) {
    const std::vector<float> block{1, bad};
    const Status status = select_top(block, 1, selected);
    ASSERT_FALSE(status);
    EXPECT_EQ(status.error().code, Errc::kNonFinite);
    EXPECT_NE(status.error().message.find("element 1"), std::string::npos);
  }
}

// Every block of four elements over a small alphabet with ties, zeros and signs.
TEST(TopK, EqualsTheDefinitionOnAllSmallBlocks) {
  const float alphabet[] = {0.0f, -0.0f, 1.0f, -1.0f, 2.0f};
  for (int code = 0; code < 625; ++code) {
    std::vector<float> block;
    for (int rest = code, i = 0; i < 4; ++i, rest /= 5) block.push_back(alphabet[rest % 5]);
    for (std::uint32_t keep = 1; keep <= 4; ++keep)
      EXPECT_EQ(top(block, keep), naive_top(block, keep)) << "code " << code;
  }
}

TEST(TopK, EqualsTheDefinitionOnRandomBlocks) {
  Prng random(42);
  for (int trial = 0; trial < 50; ++trial) {
    std::vector<float> block(4096);
    for (float& x : block) x = static_cast<float>(static_cast<int>(random.below(200)) - 100) / 16;
    const auto keep = static_cast<std::uint32_t>(1 + random.below(4096));
    EXPECT_EQ(top(block, keep), naive_top(block, keep)) << "trial " << trial;
  }
}

}  // namespace
}  // namespace muster::compression
