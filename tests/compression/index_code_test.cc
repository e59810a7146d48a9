#include "compression/index_code.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "base/prng.h"

namespace muster::compression {
namespace {

Bytes coded(const std::vector<std::uint32_t>& indices, std::uint32_t elements) {
  BitWriter out;
  write_indices(out, indices, elements);
  return std::move(out).take();
}

// Every subset of every block of up to ten elements.
TEST(IndexCode, RoundTripsEverySubsetOfSmallBlocks) {
  for (std::uint32_t elements = 1; elements <= 10; ++elements) {
    for (std::uint32_t mask = 0; mask < (1u << elements); ++mask) {
      std::vector<std::uint32_t> indices, back;
      for (std::uint32_t i = 0; i < elements; ++i)
        if (mask >> i & 1) indices.push_back(i);
      const Bytes bytes = coded(indices, elements);
      BitReader in(bytes);
      ASSERT_TRUE(read_indices(in, static_cast<std::uint32_t>(indices.size()), elements, back));
      EXPECT_EQ(back, indices);
      EXPECT_TRUE(in.finished());
    }
  }
}

TEST(IndexCode, CostsAtMost7point5BitsPerIndexAt64Of4096) {
  Prng random(1);
  std::size_t bytes = 0;
  for (int trial = 0; trial < 200; ++trial) {
    auto drawn = sample_distinct(random, 4096, 64);
    std::vector<std::uint32_t> indices(drawn.begin(), drawn.end());
    std::sort(indices.begin(), indices.end());
    bytes += coded(indices, 4096).size();
  }
  const double bits = static_cast<double>(bytes) * 8 / (200 * 64);
  EXPECT_LT(bits, 7.6) << "half a byte of padding per 64 indices included";
}

TEST(IndexCode, CostsNothingForAllIndices) {
  std::vector<std::uint32_t> all(100);
  for (std::uint32_t i = 0; i < 100; ++i) all[i] = i;
  EXPECT_TRUE(coded(all, 100).empty());
}

TEST(IndexCode, RefusesTruncationAndIndicesOutsideTheBlock) {
  const Bytes bytes = coded({1, 50, 99}, 100);
  std::vector<std::uint32_t> back;
  BitReader cut(ByteSpan(bytes).first(1));
  EXPECT_FALSE(read_indices(cut, 3, 100, back));
  BitReader narrow(bytes);
  EXPECT_FALSE(read_indices(narrow, 3, 60, back));
}

}  // namespace
}  // namespace muster::compression
