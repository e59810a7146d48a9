#include "compression/select.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/prng.h"

namespace muster::compression {
namespace {

// The definition, word for word.
std::vector<std::uint16_t> reference(std::span<const float> values, std::uint32_t keep) {
  std::vector<std::uint16_t> order;
  for (std::size_t i = 0; i < values.size(); ++i)
    if (std::isnormal(values[i])) order.push_back(static_cast<std::uint16_t>(i));
  std::stable_sort(order.begin(), order.end(), [&](auto a, auto b) {
    return std::fabs(values[a]) > std::fabs(values[b]);
  });
  order.resize(std::min<std::size_t>(order.size(), keep));
  std::sort(order.begin(), order.end());
  return order;
}

class SelectTest : public ::testing::TestWithParam<const Kernels*> {
 protected:
  std::vector<std::uint16_t> selected(std::span<const float> values, std::uint32_t keep) {
    std::vector<std::uint16_t> indices(kBlockElements);
    const std::uint32_t count = GetParam()->select(
        values.data(), static_cast<std::uint32_t>(values.size()), keep, indices.data());
    MUSTER_CHECK(count != kNotFinite, "finite values");
    indices.resize(count);
    return indices;
  }
};
INSTANTIATE_TEST_SUITE_P(Kernels, SelectTest, ::testing::ValuesIn(available_kernels().begin(),
                                                                  available_kernels().end()),
                         [](const auto& test) { return std::string(test.param->name); });

TEST_P(SelectTest, AgreesWithTheDefinitionOnEveryTinyBlock) {
  const float alphabet[] = {0.0f, -0.0f, 1e-40f, 1.0f, -1.0f, 2.0f};
  for (std::size_t size = 1; size <= 5; ++size) {
    std::size_t words = 1;
    for (std::size_t i = 0; i < size; ++i) words *= std::size(alphabet);
    for (std::size_t word = 0; word < words; ++word) {
      std::vector<float> values;
      for (std::size_t i = 0, rest = word; i < size; ++i, rest /= std::size(alphabet))
        values.push_back(alphabet[rest % std::size(alphabet)]);
      for (std::uint32_t keep = 1; keep <= size; ++keep)
        ASSERT_EQ(selected(values, keep), reference(values, keep)) << "word " << word;
    }
  }
}

TEST_P(SelectTest, AgreesWithTheDefinitionOnRealBlockSizes) {
  Prng random(11);
  const std::uint32_t sizes[] = {7, 255, 256, 257, 1000, 1024, 1025, 2049, 3000, 4095, 4096};
  for (std::uint32_t size : sizes) {
    for (std::uint32_t keep : {1u, 2u, 16u, 63u, 64u, 65u, 256u, 700u, 1024u, 4000u, 4096u}) {
      if (keep > size) continue;
      std::vector<float> values(size);
      for (float& x : values) x = static_cast<float>(std::pow(random.uniform() * 2 - 1, 5));
      ASSERT_EQ(selected(values, keep), reference(values, keep)) << keep << " of " << size;
    }
  }
}

TEST_P(SelectTest, AgreesWithTheDefinitionOnAdversarialBlocks) {
  Prng random(12);
  const float largest = std::numeric_limits<float>::max(), smallest = std::numeric_limits<float>::min();
  std::vector<std::vector<float>> blocks;
  blocks.emplace_back(4096, 1.0f);                              // all equal
  blocks.emplace_back(4096, 0.0f);                              // all zero
  blocks.emplace_back(4096, 1e-42f);                            // all denormal
  blocks.emplace_back(4096, -largest);                          // the largest number
  blocks.emplace_back(4096, smallest);                          // the smallest that counts
  blocks.emplace_back(4096, 0.0f)[4095] = -3;                   // one spike at the end
  blocks.emplace_back(4096, 1e-30f)[0] = largest;               // one spike at the start
  auto& ties = blocks.emplace_back(4096);                       // few different values
  for (float& x : ties) x = static_cast<float>(1 + random.below(3)) * (random.chance(0.5) ? 1 : -1);
  auto& sparse = blocks.emplace_back(4096, 0.0f);               // fewer than are asked for
  for (int i = 0; i < 20; ++i) sparse[random.below(4096)] = 1;
  auto& rising = blocks.emplace_back(4096);                     // sorted
  for (std::size_t i = 0; i < 4096; ++i) rising[i] = static_cast<float>(i);
  auto& clustered = blocks.emplace_back(4096, 1e-3f);           // all large ones in one group's stride
  for (std::size_t i = 0; i < 64; ++i) clustered[i * 64 + 5] = 1 + static_cast<float>(i % 7);
  for (std::size_t b = 0; b < blocks.size(); ++b)
    for (std::uint32_t keep : {1u, 16u, 64u, 256u, 1024u, 4095u, 4096u})
      ASSERT_EQ(selected(blocks[b], keep), reference(blocks[b], keep)) << keep << " of block " << b;
}

TEST_P(SelectTest, FindsWhatIsNotFiniteAnywhere) {
  std::vector<std::uint16_t> indices(kBlockElements);
  for (std::uint32_t size : {1u, 100u, 300u, 4096u}) {
    for (float bad : {std::numeric_limits<float>::infinity(), -std::numeric_limits<float>::infinity(),
                      std::numeric_limits<float>::quiet_NaN()}) {
      for (std::uint32_t at : {0u, size / 2, size - 1}) {
        std::vector<float> values(size, 1.0f);
        values[at] = bad;
        EXPECT_EQ(GetParam()->select(values.data(), size, 1, indices.data()), kNotFinite);
      }
    }
  }
}

TEST_P(SelectTest, AccumulatesWithARoundingAfterEachOperation) {
  Prng random(13);
  std::vector<float> residual(1000), delta(1000), expected(1000);
  for (std::size_t i = 0; i < 1000; ++i) {
    residual[i] = static_cast<float>(random.uniform() - 0.5);
    delta[i] = static_cast<float>(random.uniform() * 1e-3);
    const volatile float product = residual[i] * 0.99f;
    expected[i] = product + delta[i];
  }
  GetParam()->accumulate(delta.data(), residual.data(), delta.size(), 0.99f);
  EXPECT_EQ(delta, expected);
}

TEST(Kernels, EndWithThePortableOnes) {
  EXPECT_EQ(available_kernels().back()->name, "portable");
  EXPECT_EQ(&kernels(), available_kernels().front());
}

}  // namespace
}  // namespace muster::compression
