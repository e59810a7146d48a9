// What every Collective must do, whatever memory it works on: an environment makes ranks and moves
// numbers there.
//
// An Environment has
//   size()                  ranks
//   run(rank_main)          rank_main(collective, memory) for each rank at once
// and a memory has make(values), a span there, and values(span), back from there.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/collective.h"
#include "base/prng.h"

namespace muster::trainer {

// Ranges of uneven sizes, one of them empty, that cover [0, count).
inline std::vector<Range> uneven_ranges(unsigned ranks, std::uint64_t count, std::uint64_t seed) {
  Prng random(seed);
  std::vector<std::uint64_t> borders{0, count};
  while (borders.size() < ranks + 1)
    borders.push_back(random.below(static_cast<std::uint32_t>(count + 1)));
  if (ranks > 2) borders[2] = borders[3];
  std::ranges::sort(borders);
  std::vector<Range> ranges;
  for (unsigned rank = 0; rank < ranks; ++rank)
    ranges.push_back({borders[rank], borders[rank + 1]});
  return ranges;
}

// Numbers of a rank whose sum depends on the order in which they are added.
inline std::vector<float> numbers_of(unsigned rank, std::uint64_t count) {
  Prng random(100 + rank);
  std::vector<float> values(count);
  for (float& value : values) {
    const float magnitude = std::ldexp(1.0f, static_cast<int>(random.below(20)) - 10);
    value = magnitude * (static_cast<float>(random.below(2'000'001)) / 1e6f - 1.0f);
  }
  return values;
}

template <class Environment>
class CollectiveConformance : public ::testing::Test {
 protected:
  Environment environment_;
};
TYPED_TEST_SUITE_P(CollectiveConformance);

TYPED_TEST_P(CollectiveConformance, GathersEveryRanksPartOnAllOfThem) {
  constexpr std::uint64_t kCount = 70'001;
  const auto owned = uneven_ranges(this->environment_.size(), kCount, 1);
  this->environment_.run([&](Collective& collective, auto& memory) {
    std::vector<float> mine(kCount, -1.0f), expected;
    for (unsigned rank = 0; rank < collective.size(); ++rank) {
      const auto its = numbers_of(rank, kCount);
      const auto part = part_of(std::span(its), owned[rank]);
      expected.insert(expected.end(), part.begin(), part.end());
      if (rank == collective.rank())
        std::ranges::copy(part, mine.begin() + static_cast<std::ptrdiff_t>(owned[rank].begin));
    }
    const auto there = memory.make(mine);
    ASSERT_TRUE(collective.all_gather(there, owned));
    EXPECT_EQ(memory.values(there), expected);
  });
}

TYPED_TEST_P(CollectiveConformance, AddsUpAtTheOwnerByAscendingRank) {
  constexpr std::uint64_t kCount = 70'001;
  const auto owned = uneven_ranges(this->environment_.size(), kCount, 2);
  this->environment_.run([&](Collective& collective, auto& memory) {
    std::vector<float> sums = numbers_of(0, kCount);
    for (unsigned rank = 1; rank < collective.size(); ++rank) {
      const auto its = numbers_of(rank, kCount);
      for (std::uint64_t i = 0; i < kCount; ++i) sums[i] += its[i];
    }
    const Range mine = owned[collective.rank()];
    const auto there = memory.make(numbers_of(collective.rank(), kCount));
    const auto sum = memory.make(std::vector<float>(mine.size()));
    ASSERT_TRUE(collective.reduce_scatter(there, owned, sum));
    const auto part = part_of(std::span(sums), mine);
    EXPECT_EQ(memory.values(sum), std::vector<float>(part.begin(), part.end()));
  });
}

TYPED_TEST_P(CollectiveConformance, MovesAnArrayFromOneWayToShareItToAnother) {
  constexpr std::uint64_t kCount = 50'000;
  const auto before = uneven_ranges(this->environment_.size(), kCount, 3);
  const auto after = uneven_ranges(this->environment_.size(), kCount, 4);
  this->environment_.run([&](Collective& collective, auto& memory) {
    std::vector<float> whole(kCount);
    std::iota(whole.begin(), whole.end(), 0.0f);
    const auto mine = part_of(std::span(whole), before[collective.rank()]);
    const auto from = memory.make(std::vector<float>(mine.begin(), mine.end()));
    const auto to = memory.make(std::vector<float>(after[collective.rank()].size()));
    ASSERT_TRUE(collective.reshare(from, before, to, after));
    const auto expected = part_of(std::span(whole), after[collective.rank()]);
    EXPECT_EQ(memory.values(to), std::vector<float>(expected.begin(), expected.end()));
  });
}

TYPED_TEST_P(CollectiveConformance, SharesAFewNumbersOfTheHost) {
  this->environment_.run([&](Collective& collective, auto&) {
    for (int turn = 0; turn < 3; ++turn) {
      const std::vector<double> mine{collective.rank() + 0.25, static_cast<double>(turn)};
      std::vector<double> all(2 * collective.size());
      ASSERT_TRUE(collective.share(mine, all));
      for (unsigned rank = 0; rank < collective.size(); ++rank) {
        EXPECT_EQ(all[2 * rank], rank + 0.25);
        EXPECT_EQ(all[2 * rank + 1], turn);
      }
    }
  });
}

REGISTER_TYPED_TEST_SUITE_P(CollectiveConformance, GathersEveryRanksPartOnAllOfThem,
                            AddsUpAtTheOwnerByAscendingRank,
                            MovesAnArrayFromOneWayToShareItToAnother, SharesAFewNumbersOfTheHost);

}  // namespace muster::trainer
