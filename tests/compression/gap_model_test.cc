#include "compression/gap_model.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/prng.h"
#include "compression/payload.h"

namespace muster::compression {
namespace {

// log2 C(4096, k) / k.
double bound_bits(double k) {
  return (std::lgamma(4097) - std::lgamma(k + 1) - std::lgamma(4097 - k)) / std::log(2) / k;
}

class IndexBits : public ::testing::TestWithParam<std::uint32_t> {};
INSTANTIATE_TEST_SUITE_P(Densities, IndexBits,
                         ::testing::Values(16u, 17u, 23u, 24u, 31u, 32u, 48u, 64u, 100u, 128u, 256u,
                                           400u, 512u));

TEST_P(IndexBits, AreWithinOnePercentOfTheBound) {
  const std::uint32_t keep = GetParam();
  constexpr std::uint64_t kBlocks = 1024;
  const Layout layout = Layout::make({{"a", {kBlocks, kBlockElements}}}).value();
  Prng random(keep);
  std::vector<float> dense(layout.parameters());
  for (float& x : dense) x = static_cast<float>(random.uniform() - 0.5);
  const Payload payload = compress(layout, {keep, ValueFormat::kSign}, dense).value();
  const double entries = static_cast<double>(kBlocks) * keep;
  const double index_bits =
      static_cast<double>(payload.segments[0].size()) * 8 / entries - 1 - 16.0 / keep;
  EXPECT_LE(index_bits, 1.01 * bound_bits(keep));
  EXPECT_GE(index_bits, 0.999 * bound_bits(keep)) << "below the bound: the measure is wrong";
}

TEST(GapModel, GivesEveryGapAFrequencyAtEveryDensity) {
  for (std::uint32_t keep = 1; keep <= kBlockElements; ++keep) {
    if (keep > 100 && keep % 97 != 0 && keep < 4090) continue;
    const GapModel model(keep);
    for (std::uint32_t m : {0u, GapModel::kBase, 12u})
      for (std::uint32_t q = 0; q <= kGapEscape; ++q)
        ASSERT_GT(model.table(m).symbol(q).frequency, 0) << "keep " << keep;
  }
}

TEST(GapModel, ChoosesASparserModelTheFewerEntriesAreLeft) {
  const GapModel model(64);
  std::uint32_t before = 12;
  for (std::uint32_t entries : {8u, 4u, 2u, 1u}) {
    const std::uint32_t chosen = model.choose(entries, 4096);
    EXPECT_LE(chosen, before);
    before = chosen;
  }
  EXPECT_EQ(model.choose(8, 8 * 64), GapModel::kBase) << "as dense as the whole block";
}

}  // namespace
}  // namespace muster::compression
