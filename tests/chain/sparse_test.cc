#include "chain/fixed/sparse.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "chain/fixed/median.h"
#include "chain/fixed/vectors.h"

namespace muster::chain {
namespace {

constexpr std::int64_t kOne = std::int64_t{1} << 32;

I32F32 whole(int value) { return fixed_from<I32F32>(value); }

struct Cell {
  std::uint16_t column;
  int value;
};

SparseMatrix matrix(const std::vector<std::vector<Cell>>& rows) {
  SparseMatrix result;
  for (const auto& row : rows) {
    for (const Cell& cell : row) result.append(cell.column, whole(cell.value));
    result.close_row();
  }
  return result;
}

std::vector<I32F32> wholes(const std::vector<int>& values) {
  std::vector<I32F32> result;
  for (const int value : values) result.push_back(whole(value));
  return result;
}

TEST(SparseRows, GiveBackWhatWasAppended) {
  const SparseMatrix rows = matrix({{{3, 1}, {1, 2}}, {}, {{0, 4}}});
  EXPECT_EQ(rows.rows(), 3u);
  EXPECT_EQ(rows.row(0)[0], (SparseMatrix::Entry{3, whole(1)}));
  EXPECT_EQ(rows.row(0)[1], (SparseMatrix::Entry{1, whole(2)}));
  EXPECT_TRUE(rows.row(1).empty());
  EXPECT_EQ(rows.row(2).size(), 1u);
}

TEST(RowNormalize, LeavesRowsWithoutAPositiveSum) {
  SparseMatrix rows = matrix({{{0, 0}}, {{0, -1}}, {{0, 1}, {1, 1}}});
  row_normalize(rows);
  EXPECT_EQ(rows.row(0)[0].value, whole(0));
  EXPECT_EQ(rows.row(1)[0].value, whole(-1));
  EXPECT_EQ(rows.row(2)[0].value.bits, kOne / 2);
}

TEST(ColNormalize, IgnoresColumnsBeyondTheMatrix) {
  SparseMatrix rows = matrix({{{0, 1}, {7, 3}}, {{0, 3}}});
  col_normalize(rows, 2);
  EXPECT_EQ(rows.row(0)[0].value.bits, kOne / 4);
  EXPECT_EQ(rows.row(0)[1].value, whole(3));
}

TEST(ColClip, DropsWhatIsAboveABoundOfZeroAndKeepsAZero) {
  EXPECT_EQ(col_clip(matrix({{{0, 5}, {1, 5}, {2, 0}}}), wholes({3, 0, 0})),
            matrix({{{0, 3}, {2, 0}}}));
  EXPECT_EQ(col_clip(matrix({{{9, 5}}}), wholes({3})), matrix({{}}));
}

TEST(Interpolated, IsOneOfItsEndsAtZeroAndOne) {
  const SparseMatrix a = matrix({{{2, 1}, {0, 0}}});
  const SparseMatrix b = matrix({{{1, 4}}});
  EXPECT_EQ(interpolated(a, b, 3, whole(0)), a);
  EXPECT_EQ(interpolated(a, b, 3, whole(1)), b);
}

TEST(Interpolated, IsSortedAndPositiveBetween) {
  const SparseMatrix half =
      interpolated(matrix({{{2, 2}, {0, 0}}}), matrix({{{1, 4}}}), 3, I32F32::from_bits(kOne / 2));
  EXPECT_EQ(half, matrix({{{1, 2}, {2, 1}}}));
}

TEST(MovingAverage, KeepsBondsWithoutAWeight) {
  const SparseMatrix average = moving_average(matrix({{{0, 4}}, {}}), matrix({{{1, 8}}, {{0, 2}}}),
                                              I32F32::from_bits(kOne / 2));
  EXPECT_EQ(average, matrix({{{0, 2}, {1, 4}}, {{0, 1}}}));
}

TEST(MovingAverageByEntry, LosesBondsWithoutAWeight) {
  const auto half = [](std::size_t, std::span<I32F32> alphas) {
    std::fill(alphas.begin(), alphas.end(), I32F32::from_bits(kOne / 2));
  };
  const SparseMatrix average =
      moving_average_by_entry(matrix({{{1, 0}}}), matrix({{{0, 1}, {1, 1}}}), 2, half);
  ASSERT_EQ(average.row(0).size(), 1u);
  EXPECT_EQ(average.row(0)[0], (SparseMatrix::Entry{1, I32F32::from_bits(kOne / 2)}));
}

TEST(MovingAverageByEntry, StopsAtOne) {
  EXPECT_EQ(blended(whole(5), whole(0), whole(1)), whole(1));
  EXPECT_EQ(blended(whole(-5), whole(0), whole(1)), whole(0));
}

TEST(Median, OfNothingIsZero) {
  EXPECT_EQ(weighted_median({}, {}, whole(0), whole(0)), whole(0));
  EXPECT_EQ(weighted_median(wholes({1}), {}, whole(0), whole(1)), whole(0));
}

TEST(Median, ATieGoesUp) {
  const std::vector<I32F32> stakes{I32F32::from_bits(kOne / 2), I32F32::from_bits(kOne / 2)};
  EXPECT_EQ(weighted_median(stakes, wholes({1, 2}), I32F32::from_bits(kOne / 2), whole(1)),
            whole(2));
  EXPECT_EQ(weighted_median(stakes, wholes({1, 2}), I32F32::from_bits(kOne / 2 - 1), whole(1)),
            whole(1));
}

TEST(ColumnMedians, CountAMissingEntryAsZero) {
  const auto medians =
      column_medians(wholes({1, 1, 1}), matrix({{{0, 9}}, {}, {}}), 1, I32F32::from_bits(kOne / 2));
  EXPECT_EQ(medians, wholes({0}));
}

TEST(ColumnMedians, WithoutStakeAreZero) {
  EXPECT_EQ(column_medians(wholes({0, 0}), matrix({{{0, 9}}, {{0, 9}}}), 1, whole(0)), wholes({0}));
}

// What the median means: the stake below it is at most the minority, that up to it exceeds it.
RC_GTEST_PROP(Median, SplitsTheStakeAtTheMinority, ()) {
  const auto count = *rc::gen::inRange<std::size_t>(1, 40);
  std::vector<I32F32> stakes(count);
  std::vector<I32F32> scores(count);
  for (std::size_t i = 0; i < count; ++i) {
    stakes[i] = I32F32::from_bits(*rc::gen::inRange<std::int64_t>(1, kOne));
    scores[i] = whole(*rc::gen::inRange(0, 8));
  }
  normalize(stakes);
  const I32F32 total = wrapping_sum<I32F32>(stakes);
  const auto minority = I32F32::from_bits(*rc::gen::inRange<std::int64_t>(0, total.bits));
  const I32F32 median = weighted_median(stakes, scores, minority, total);
  I32F32 below;
  I32F32 up_to;
  for (std::size_t i = 0; i < count; ++i) {
    if (scores[i] < median) below = below + stakes[i];
    if (scores[i] <= median) up_to = up_to + stakes[i];
  }
  RC_ASSERT(below <= minority);
  RC_ASSERT(up_to > minority);
}

RC_GTEST_PROP(RowNormalize, RowsSumToOneButForRounding,
              (const std::vector<std::uint16_t>& values)) {
  SparseMatrix rows;
  I32F32 sum;
  for (std::size_t j = 0; j < values.size(); ++j) {
    rows.append(static_cast<std::uint16_t>(j), fixed_from<I32F32>(values[j]));
    sum = sum + fixed_from<I32F32>(values[j]);
  }
  rows.close_row();
  RC_PRE(sum > I32F32::zero());
  row_normalize(rows);
  const I32F32 total = row_sums(rows)[0];
  RC_ASSERT(total <= I32F32::one());
  RC_ASSERT(total.bits + static_cast<std::int64_t>(values.size()) >= kOne);
}

}  // namespace
}  // namespace muster::chain
