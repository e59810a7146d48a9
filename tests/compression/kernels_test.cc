#include "compression/kernels.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/prng.h"
#include "tests/compression/select_conformance.h"

namespace muster::compression {
namespace {

class KernelsTest : public ::testing::TestWithParam<const Kernels*> {};
INSTANTIATE_TEST_SUITE_P(Every, KernelsTest,
                         ::testing::ValuesIn(available_kernels().begin(),
                                             available_kernels().end()),
                         [](const auto& test) { return std::string(test.param->name); });

std::vector<Selector> selectors() {
  std::vector<Selector> found;
  for (const Kernels* kernels : available_kernels()) {
    found.push_back(
        {std::string(kernels->name),
         [kernels](const Selector::Blocks& blocks, std::uint32_t keep) {
           std::vector<Selector::Selected> selected;
           for (const auto& values : blocks) {
             std::vector<std::uint16_t> indices(kBlockElements + 16);
             const std::uint32_t count = kernels->select(
                 values.data(), static_cast<std::uint32_t>(values.size()), keep, indices.data());
             indices.resize(count == kNotFinite ? 0 : count);
             selected.push_back(count == kNotFinite ? std::nullopt : Selector::Selected(indices));
           }
           return selected;
         },
         {}});
  }
  return found;
}
INSTANTIATE_TEST_SUITE_P(Kernels, SelectConformance, ::testing::ValuesIn(selectors()),
                         [](const auto& test) { return test.param.name; });

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
        ASSERT_EQ(GetParam()->indices_of(quotients.data(), count, low_bits, lows.data(),
                                         lows.size(), bit, indices.data()),
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
