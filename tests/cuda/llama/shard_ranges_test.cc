#include "cuda/llama/shard_ranges.h"

#include <gtest/gtest.h>

#include <numeric>

namespace muster::gpu {
namespace {

state::Shape shape_of(bool tied) {
  return state::Shape({.d_model = 64,
                       .layers = 3,
                       .heads = 2,
                       .kv_heads = 1,
                       .d_ff = 72,
                       .context = 24,
                       .vocab = 104,
                       .tied = tied});
}

TEST(ModelPartsOfACard, MeetAndAreAllParameters) {
  for (const bool tied : {false, true}) {
    const state::Shape shape = shape_of(tied);
    std::uint64_t end = 0;
    for (std::size_t part = 0; part < part_count(shape); ++part) {
      EXPECT_EQ(part_range(shape, part).begin, end);
      end = part_range(shape, part).end;
    }
    EXPECT_EQ(end, shape.parameters);
    EXPECT_EQ(part_range(shape, head_part(shape)).begin + head_offset(shape), shape.head);
  }
}

TEST(ModelPartsOfACard, TakeTurnsSoThatNeighboursDoNotMeet) {
  for (const bool tied : {false, true}) {
    const state::Shape shape = shape_of(tied);
    const auto sizes = slot_sizes(shape);
    for (std::size_t part = 0; part < part_count(shape); ++part) {
      EXPECT_LE(part_range(shape, part).size(), sizes[slot_of(shape, part)]);
      if (part > 0) {
        EXPECT_NE(slot_of(shape, part), slot_of(shape, part - 1));
      }
    }
    EXPECT_NE(slot_of(shape, head_part(shape)), slot_of(shape, shape.layers));
  }
}

TEST(RangesOfRanks, WithinAPartCountFromItsBegin) {
  const std::vector<Range> owned{{0, 16}, {16, 16}, {16, 80}, {80, 96}};
  EXPECT_EQ(within(owned, {32, 96}), (std::vector<Range>{{0, 0}, {0, 0}, {0, 48}, {48, 64}}));
  EXPECT_EQ(divided(owned, 2), (std::vector<Range>{{0, 8}, {8, 8}, {8, 40}, {40, 48}}));
}

TEST(GainsOfRanks, AreEachCopiedOnceToTheirPlaceAmongAll) {
  const state::Shape shape = shape_of(false);
  // Borders within a gain, within a matrix, behind the last layer.
  const std::uint64_t first = shape.layer(1) + shape.mlp_gain + 16,
                      second = shape.layer(2) + shape.qkv + 160;
  const std::vector<Range> owned{
      {0, first}, {first, second}, {second, second}, {second, shape.parameters}};
  std::vector<float> theta(shape.parameters), gains(7 * shape.width, -1.0f), expected;
  std::iota(theta.begin(), theta.end(), 0.0f);
  const auto expect = [&](std::size_t offset) {
    expected.insert(expected.end(), theta.begin() + static_cast<std::ptrdiff_t>(offset),
                    theta.begin() + static_cast<std::ptrdiff_t>(offset + shape.width));
  };
  for (std::size_t layer = 0; layer < 3; ++layer) {
    expect(shape.layer(layer) + shape.attention_gain);
    expect(shape.layer(layer) + shape.mlp_gain);
  }
  expect(shape.final_gain);
  const auto packed = packed_gains(shape, owned);
  EXPECT_EQ(packed.front().begin, 0u);
  EXPECT_EQ(packed.back().end, gains.size());
  for (std::size_t rank = 0; rank < owned.size(); ++rank) {
    std::uint64_t count = 0;
    for (const CopyRun& run : gain_runs(shape, owned[rank])) {
      EXPECT_GE(run.to, packed[rank].begin);
      EXPECT_LE(run.to + run.count, packed[rank].end);
      for (std::uint64_t i = 0; i < run.count; ++i)
        gains[run.to + i] = theta[owned[rank].begin + run.from + i];
      count += run.count;
    }
    EXPECT_EQ(count, packed[rank].size());
  }
  EXPECT_EQ(gains, expected);
}

TEST(RangesOfRanksDeathTest, MustMeetAndBeAll) {
  const state::Shape shape = shape_of(true);
  const std::uint64_t all = shape.parameters;
  check_ranges(shape, {{0, 64}, {64, all}}, 2);
  EXPECT_DEATH(check_ranges(shape, {{0, all}}, 2), "a range for each rank");
  EXPECT_DEATH(check_ranges(shape, {{0, 64}, {128, all}}, 2), "do not meet");
  EXPECT_DEATH(check_ranges(shape, {{0, 60}, {60, all}}, 2), "within a vector");
  EXPECT_DEATH(check_ranges(shape, {{0, 64}, {64, 128}}, 2), "not of all");
}

}  // namespace
}  // namespace muster::gpu
