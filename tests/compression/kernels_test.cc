#include "compression/kernels.h"

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

class KernelsTest : public ::testing::TestWithParam<const Kernels*> {
 protected:
  std::vector<std::uint16_t> selected(std::span<const float> values, std::uint32_t keep) {
    std::vector<std::uint16_t> indices(kBlockElements + 16);
    const std::uint32_t count = GetParam()->select(
        values.data(), static_cast<std::uint32_t>(values.size()), keep, indices.data());
    MUSTER_CHECK(count != kNotFinite, "finite values");
    indices.resize(count);
    return indices;
  }
};
INSTANTIATE_TEST_SUITE_P(Every, KernelsTest, ::testing::ValuesIn(available_kernels().begin(),
                                                                  available_kernels().end()),
                         [](const auto& test) { return std::string(test.param->name); });

TEST_P(KernelsTest, SelectAsTheDefinitionSaysOnEveryTinyBlock) {
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

TEST_P(KernelsTest, SelectAsTheDefinitionSaysOnRealBlockSizes) {
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

TEST_P(KernelsTest, SelectAsTheDefinitionSaysOnAdversarialBlocks) {
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

TEST_P(KernelsTest, FindWhatIsNotFiniteAnywhere) {
  std::vector<std::uint16_t> indices(kBlockElements + 16);
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

TEST_P(KernelsTest, AccumulateWithARoundingAfterEachOperation) {
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

// The definition: a gap after the other.
TEST_P(KernelsTest, AddUpGapsToIndices) {
  Prng random(14);
  for (unsigned low_bits : {0u, 1u, 2u, 4u, 5u, 7u, 8u, 10u}) {
    for (std::uint32_t count : {1u, 7u, 15u, 16u, 17u, 64u, 100u}) {
      for (std::uint64_t bit : {0u, 3u, 8u, 21u}) {
        const std::uint64_t bits = bit + std::uint64_t{count} * low_bits;
        std::vector<std::uint8_t> quotients(count), lows((bits + 7) / 8);
        for (auto& quotient : quotients) quotient = static_cast<std::uint8_t>(random.below(32));
        for (auto& byte : lows) byte = static_cast<std::uint8_t>(random.below(256));
        std::vector<std::uint16_t> expected, indices(count);
        std::uint32_t next = 0;
        for (std::uint32_t i = 0; i < count; ++i) {
          std::uint32_t gap = std::uint32_t{quotients[i]} << low_bits;
          for (unsigned j = 0; j < low_bits; ++j) {
            const std::uint64_t at = bit + i * low_bits + j;
            gap |= (lows[at / 8] >> at % 8 & 1u) << j;
          }
          expected.push_back(static_cast<std::uint16_t>(next + gap));
          next += gap + 1;
        }
        ASSERT_EQ(GetParam()->indices_of(quotients.data(), count, low_bits, lows.data(), lows.size(),
                                         bit, indices.data()),
                  next)
            << count << " gaps of " << low_bits << " low bits from bit " << bit;
        ASSERT_EQ(indices, expected);
      }
    }
  }
}

TEST_P(KernelsTest, SumTailsInTheSameOrder) {
  Prng random(15);
  for (std::size_t count : {1u, 7u, 8u, 9u, 64u, 1001u, 4096u}) {
    std::vector<float> magnitudes(count);
    for (float& x : magnitudes) x = static_cast<float>(std::exp2(random.uniform() * 40 - 20));
    for (float threshold : {0.0f, 1e-3f, 1.0f, 1e30f}) {
      double lanes[8] = {}, reached = 0;
      for (std::size_t i = 0; i < count; ++i) {
        if (magnitudes[i] < threshold) continue;
        lanes[i % 8] += static_cast<double>(magnitudes[i]);
        ++reached;
      }
      const Tail tail = GetParam()->tail(magnitudes.data(), count, threshold);
      EXPECT_EQ(tail.count, reached);
      EXPECT_EQ(tail.sum, ((lanes[0] + lanes[4]) + (lanes[2] + lanes[6])) +
                              ((lanes[1] + lanes[5]) + (lanes[3] + lanes[7])));
    }
  }
}

TEST(Kernels, EndWithThePortableOnes) {
  EXPECT_EQ(available_kernels().back()->name, "portable");
  EXPECT_EQ(&kernels(), available_kernels().front());
}

}  // namespace
}  // namespace muster::compression
