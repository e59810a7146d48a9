// What every selection of the largest magnitudes must do, whatever it runs on: a CPU's instruction
// sets, a team of threads played by the host, a card. Instantiate SelectConformance with the
// selectors there are.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "base/prng.h"
#include "compression/layout.h"

namespace muster::compression {

struct Selector {
  using Blocks = std::vector<std::vector<float>>;              // of one size
  using Selected = std::optional<std::vector<std::uint16_t>>;  // nothing: not finite
  std::string name;
  std::function<std::vector<Selected>(const Blocks&, std::uint32_t keep)> select;
  std::string missing;  // why there is no `select`, where there is none
};

inline void PrintTo(const Selector& selector, std::ostream* out) { *out << selector.name; }

class SelectConformance : public ::testing::TestWithParam<Selector> {
 protected:
  void SetUp() override {
    if (!GetParam().select) GTEST_SKIP() << GetParam().missing;
  }
  // The definition, word for word.
  static std::vector<std::uint16_t> reference(const std::vector<float>& values,
                                              std::uint32_t keep) {
    std::vector<std::uint16_t> order;
    for (std::size_t i = 0; i < values.size(); ++i)
      if (std::isnormal(values[i])) order.push_back(static_cast<std::uint16_t>(i));
    std::stable_sort(order.begin(), order.end(),
                     [&](auto a, auto b) { return std::fabs(values[a]) > std::fabs(values[b]); });
    order.resize(std::min<std::size_t>(order.size(), keep));
    std::sort(order.begin(), order.end());
    return order;
  }
  static void expect_reference(const Selector::Blocks& blocks, std::uint32_t keep) {
    const auto selected = GetParam().select(blocks, keep);
    ASSERT_EQ(selected.size(), blocks.size());
    for (std::size_t b = 0; b < blocks.size(); ++b) {
      ASSERT_TRUE(selected[b].has_value()) << "block " << b;
      ASSERT_EQ(*selected[b], reference(blocks[b], keep))
          << keep << " of " << blocks[b].size() << ", block " << b;
    }
  }
};

TEST_P(SelectConformance, SelectAsTheDefinitionSaysOnEveryTinyBlock) {
  const float alphabet[] = {0.0f, -0.0f, 1e-40f, 1.0f, -1.0f, 2.0f};
  for (std::size_t size = 1; size <= 5; ++size) {
    std::size_t words = 1;
    for (std::size_t i = 0; i < size; ++i) words *= std::size(alphabet);
    Selector::Blocks blocks;
    for (std::size_t word = 0; word < words; ++word) {
      auto& values = blocks.emplace_back();
      for (std::size_t i = 0, rest = word; i < size; ++i, rest /= std::size(alphabet))
        values.push_back(alphabet[rest % std::size(alphabet)]);
    }
    for (std::uint32_t keep = 1; keep <= size; ++keep) expect_reference(blocks, keep);
  }
}

TEST_P(SelectConformance, SelectAsTheDefinitionSaysOnRealBlockSizes) {
  Prng random(11);
  const std::uint32_t sizes[] = {7, 255, 256, 257, 1000, 1024, 1025, 2049, 3000, 4095, 4096};
  for (std::uint32_t size : sizes) {
    for (std::uint32_t keep : {1u, 2u, 16u, 63u, 64u, 65u, 256u, 257u, 700u, 1024u, 4000u, 4096u}) {
      if (keep > size) continue;
      Selector::Blocks blocks(2, std::vector<float>(size));
      for (auto& values : blocks)
        for (float& x : values) x = static_cast<float>(std::pow(random.uniform() * 2 - 1, 5));
      expect_reference(blocks, keep);
    }
  }
}

TEST_P(SelectConformance, SelectAsTheDefinitionSaysOnAdversarialBlocks) {
  Prng random(12);
  const float largest = std::numeric_limits<float>::max(),
              smallest = std::numeric_limits<float>::min();
  Selector::Blocks blocks;
  blocks.emplace_back(4096, 1.0f);                 // all equal
  blocks.emplace_back(4096, 0.0f);                 // all zero
  blocks.emplace_back(4096, 1e-42f);               // all denormal
  blocks.emplace_back(4096, -largest);             // the largest number
  blocks.emplace_back(4096, smallest);             // the smallest that counts
  blocks.emplace_back(4096, 0.0f)[4095] = -3;      // one spike at the end
  blocks.emplace_back(4096, 1e-30f)[0] = largest;  // one spike at the start
  auto& ties = blocks.emplace_back(4096);          // few different values
  for (float& x : ties) x = static_cast<float>(1 + random.below(3)) * (random.chance(0.5) ? 1 : -1);
  auto& sparse = blocks.emplace_back(4096, 0.0f);  // fewer than are asked for
  for (int i = 0; i < 20; ++i) sparse[random.below(4096)] = 1;
  auto& rising = blocks.emplace_back(4096);  // sorted
  for (std::size_t i = 0; i < 4096; ++i) rising[i] = static_cast<float>(i);
  auto& clustered = blocks.emplace_back(4096, 1e-3f);  // all large ones in one group's stride
  for (std::size_t i = 0; i < 64; ++i) clustered[i * 64 + 5] = 1 + static_cast<float>(i % 7);
  auto& neighbours = blocks.emplace_back(4096, 0.0f);  // all large ones side by side
  for (std::size_t i = 0; i < 80; ++i) neighbours[2000 + i] = -1 - static_cast<float>(i % 3);
  for (std::uint32_t keep : {1u, 16u, 64u, 255u, 256u, 257u, 1024u, 4095u, 4096u})
    expect_reference(blocks, keep);
}

TEST_P(SelectConformance, FindWhatIsNotFiniteAnywhere) {
  for (std::uint32_t size : {1u, 100u, 300u, 4096u}) {
    for (float bad :
         {std::numeric_limits<float>::infinity(), -std::numeric_limits<float>::infinity(),
          std::numeric_limits<float>::quiet_NaN()}) {
      Selector::Blocks blocks;
      for (std::uint32_t at : {0u, size / 2, size - 1}) blocks.emplace_back(size, 1.0f)[at] = bad;
      for (const auto& selected : GetParam().select(blocks, 1)) EXPECT_FALSE(selected.has_value());
    }
  }
}

}  // namespace muster::compression
