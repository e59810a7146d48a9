#include "base/prng.h"

#include <gtest/gtest.h>

#include <set>

namespace muster {
namespace {

// Random123's known-answer file kat_vectors, philox4x32 with 10 rounds.
TEST(Philox, MatchesRandom123KnownAnswers) {
  using Words = std::array<std::uint32_t, 4>;
  EXPECT_EQ(philox4x32({0, 0, 0, 0}, {0, 0}),
            (Words{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  EXPECT_EQ(philox4x32({~0u, ~0u, ~0u, ~0u}, {~0u, ~0u}),
            (Words{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(philox4x32({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}),
            (Words{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

TEST(Prng, RepeatsForEqualSeedsAndDiffersBetweenStreams) {
  Prng a(7, 1), b(7, 1), c(7, 2);
  const std::uint64_t first = a.next_u64();
  EXPECT_EQ(first, b.next_u64());
  EXPECT_NE(first, c.next_u64());
}

TEST(Prng, BelowStaysBelowAndReachesEverything) {
  Prng random(3);
  std::set<std::uint64_t> seen;
  for (int i = 0; i < 200; ++i) seen.insert(random.below(7));
  EXPECT_EQ(seen.size(), 7u);
  EXPECT_EQ(*seen.rbegin(), 6u);
}

TEST(SampleDistinct, DrawsEachMemberAtMostOnce) {
  Prng random(11);
  for (std::size_t count : {0u, 1u, 5u, 10u}) {
    const auto drawn = sample_distinct(random, 10, count);
    EXPECT_EQ(std::set<std::uint64_t>(drawn.begin(), drawn.end()).size(), count);
    for (std::uint64_t member : drawn) EXPECT_LT(member, 10u);
  }
}

}  // namespace
}  // namespace muster
