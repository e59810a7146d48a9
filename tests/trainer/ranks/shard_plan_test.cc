#include "trainer/ranks/shard_plan.h"

#include <gtest/gtest.h>

#include "state/model_spec.h"
#include "trainer/optim/muon.h"

namespace muster::trainer {
namespace {

const state::ModelSpec kTiny{
    .d_model = 32, .layers = 2, .heads = 2, .kv_heads = 1, .d_ff = 64, .context = 16};
const state::ModelSpec kLarge{.d_model = 768,
                              .layers = 12,
                              .heads = 12,
                              .kv_heads = 12,
                              .d_ff = 3072,
                              .context = 1024,
                              .vocab = 50304};

class ShardPlanTest : public ::testing::TestWithParam<
                          std::tuple<const state::ModelSpec*, OptimizerKind, unsigned>> {
 protected:
  compression::Layout layout_ = state::layout_of(*std::get<0>(GetParam()));
  OptimizerKind optimizer_ = std::get<1>(GetParam());
  unsigned ranks_ = std::get<2>(GetParam());
  ShardPlan plan_ = make_shard_plan(layout_, optimizer_, ranks_);
};

void expect_cover(const std::vector<Range>& ranges, std::uint64_t count) {
  std::uint64_t at = 0;
  for (const Range& range : ranges) {
    EXPECT_EQ(range.begin, at);
    EXPECT_LE(range.begin, range.end);
    at = range.end;
  }
  EXPECT_EQ(at, count);
}

TEST_P(ShardPlanTest, GivesEverythingToExactlyOneRank) {
  for (const auto& ranges : {plan_.optimized, plan_.segments, plan_.compressed})
    ASSERT_EQ(ranges.size(), ranks_);
  expect_cover(plan_.optimized, layout_.parameters());
  expect_cover(plan_.compressed, layout_.parameters());
  expect_cover(plan_.segments, layout_.segment_count());
}

TEST_P(ShardPlanTest, CompressedParametersAreThoseOfTheSegments) {
  for (unsigned rank = 0; rank < ranks_; ++rank) {
    std::uint64_t elements = 0;
    for (std::uint64_t s = plan_.segments[rank].begin; s < plan_.segments[rank].end; ++s)
      elements += layout_.segment(static_cast<std::uint32_t>(s)).elements;
    EXPECT_EQ(elements, plan_.compressed[rank].size());
  }
}

INSTANTIATE_TEST_SUITE_P(All, ShardPlanTest,
                         ::testing::Combine(::testing::Values(&kTiny, &kLarge),
                                            ::testing::Values(OptimizerKind::kAdamW,
                                                              OptimizerKind::kMuon),
                                            ::testing::Values(1u, 2u, 3u, 4u, 8u)));

TEST(ShardPlan, LeavesMuonsMatricesWhole) {
  const auto layout = state::layout_of(kTiny);
  for (const unsigned ranks : {2u, 3u, 4u, 8u}) {
    const ShardPlan plan = make_shard_plan(layout, OptimizerKind::kMuon, ranks);
    for (const compression::Tensor& tensor : layout.tensors()) {
      if (!is_hidden_matrix(tensor)) continue;
      for (const Range& range : plan.optimized) {
        const Range part = common(range, {tensor.offset, tensor.offset + tensor.elements});
        EXPECT_TRUE(part.empty() || part.size() == tensor.elements) << tensor.name;
      }
    }
  }
}

TEST(ShardPlan, SharesAreWithinAFewPercentOfEachOther) {
  const auto layout = state::layout_of(kLarge);
  for (const auto optimizer : {OptimizerKind::kAdamW, OptimizerKind::kMuon}) {
    const ShardPlan plan = make_shard_plan(layout, optimizer, 8);
    for (const Range& range : plan.optimized)
      EXPECT_NEAR(static_cast<double>(range.size()), static_cast<double>(layout.parameters()) / 8,
                  0.15 * static_cast<double>(layout.parameters()) / 8);
  }
}

}  // namespace
}  // namespace muster::trainer
