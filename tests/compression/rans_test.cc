#include "compression/rans.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/prng.h"

namespace muster::compression {
namespace {

struct Source {
  RansTable table;
  std::vector<std::uint32_t> values;
  double entropy_bits = 0;  // of the values, by the table
};

Source random_source(Prng& random, std::size_t symbols, std::size_t count) {
  std::vector<std::uint64_t> counts(symbols);
  for (auto& c : counts) c = 1 + random.below(1000) * random.below(1000);
  const auto frequencies = scale_frequencies(counts);
  Source source{RansTable::make(frequencies), {}, 0};
  for (std::size_t i = 0; i < count; ++i) {
    std::uint32_t slot = static_cast<std::uint32_t>(random.below(kRansTotal)), value = 0;
    while (slot >= frequencies[value]) slot -= frequencies[value++];
    source.values.push_back(value);
    source.entropy_bits -= std::log2(frequencies[value] / 4096.0);
  }
  return source;
}

Bytes encoded(const Source& source) {
  RansEncoder encoder;
  encoder.reserve(source.values.size());
  for (std::uint32_t value : source.values) encoder.put(source.table.symbol(value));
  Bytes bytes;
  encoder.finish({}, bytes);
  return bytes;
}

// Whether `bytes` decode to as many symbols as the source has, to the very end.
bool decodes(const Source& source, const Bytes& bytes, std::vector<std::uint32_t>& values) {
  RansDecoder decoder;
  if (!decoder.start(bytes)) return false;
  values.clear();
  for (std::size_t i = 0; i < source.values.size(); ++i) {
    values.push_back(decoder.get(source.table));
    if (!decoder.fits()) return false;
  }
  return decoder.finished();
}

TEST(Rans, GivesBackWhatWasPut) {
  Prng random(1);
  for (std::size_t symbols : {1u, 2u, 5u, 32u}) {
    for (std::size_t count : {1u, 2u, 3u, 4u, 5u, 1000u}) {
      const Source source = random_source(random, symbols, count);
      std::vector<std::uint32_t> values;
      ASSERT_TRUE(decodes(source, encoded(source), values));
      EXPECT_EQ(values, source.values);
    }
  }
}

TEST(Rans, CostsTheEntropyAndLittleMore) {
  Prng random(2);
  const Source source = random_source(random, 32, 60'000);
  const double bits = static_cast<double>(encoded(source).size()) * 8;
  EXPECT_LT(bits, source.entropy_bits * 1.001 + 128);
}

TEST(Rans, WritesNothingForNothing) {
  Bytes bytes{1};
  RansEncoder().finish({}, bytes);
  EXPECT_EQ(bytes, Bytes{1});
}

// Every string either is the one encoding of its symbols or is refused.
TEST(Rans, HasOneEncodingPerSequence) {
  Prng random(3);
  const Source source = random_source(random, 6, 12);
  const Bytes original = encoded(source);
  std::size_t accepted = 0;
  for (int trial = 0; trial < 200'000; ++trial) {
    Bytes bytes = original;
    for (std::uint64_t edits = 1 + random.below(3); edits > 0; --edits)
      bytes[random.below(bytes.size())] = static_cast<std::uint8_t>(random.next_u32());
    Source other = source;
    if (!decodes(source, bytes, other.values)) continue;
    ++accepted;
    ASSERT_EQ(encoded(other), bytes) << "trial " << trial;
  }
  EXPECT_GT(accepted, 0u) << "the test must see strings that are accepted";
}

TEST(Rans, RefusesCutAndExtendedStreams) {
  Prng random(4);
  const Source source = random_source(random, 10, 500);
  Bytes bytes = encoded(source);
  std::vector<std::uint32_t> values;
  for (std::size_t size = 0; size < bytes.size(); ++size)
    ASSERT_FALSE(decodes(
        source, Bytes(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size)), values))
        << size;
  bytes.insert(bytes.end(), {0, 0});
  EXPECT_FALSE(decodes(source, bytes, values));
}

TEST(ScaleFrequencies, SumTo4096AndKeepEverySymbolThatOccurs) {
  Prng random(5);
  for (int trial = 0; trial < 2000; ++trial) {
    std::vector<std::uint64_t> counts(1 + random.below(8));
    for (auto& c : counts) c = random.chance(0.3) ? 0 : random.below(1 + random.below(5'000'000));
    const auto frequencies = scale_frequencies(counts);
    std::uint64_t sum = 0, total = 0;
    for (std::size_t i = 0; i < counts.size(); ++i) {
      sum += frequencies[i];
      total += counts[i];
      ASSERT_EQ(frequencies[i] > 0, counts[i] > 0);
    }
    ASSERT_EQ(sum, total == 0 ? 0 : kRansTotal);
  }
}

}  // namespace
}  // namespace muster::compression
