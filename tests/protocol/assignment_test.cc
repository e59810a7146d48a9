#include "protocol/assignment.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

namespace muster::protocol {
namespace {

const Hash kRun = sha256(bytes_of("run"));

RoundOpen open_with(std::size_t miners) {
  RoundOpen open;
  for (std::uint16_t i = 0; i < miners; ++i)
    open.roster.push_back({Uid{i}, {}, Role::kMiner, 0, {}});
  open.roster.push_back({Uid{100}, {}, Role::kValidator, 5, {}});
  open.beacon = sha256(bytes_of("beacon"));
  return open;
}

// Every size up to a hundred: a permutation hits each member once.
TEST(SequencePermutation, IsAPermutationForEverySize) {
  for (std::uint64_t count = 1; count <= 100; ++count) {
    const SequencePermutation permutation(kRun, 0, count);
    std::set<std::uint64_t> seen;
    for (std::uint64_t i = 0; i < count; ++i) seen.insert(permutation.at(i));
    EXPECT_EQ(seen.size(), count);
    EXPECT_EQ(*seen.rbegin(), count - 1);
  }
}

TEST(SequencePermutation, DiffersBetweenEpochsAndRuns) {
  const SequencePermutation a(kRun, 0, 1000), b(kRun, 1, 1000),
      c(sha256(bytes_of("other run")), 0, 1000);
  std::size_t same_b = 0, same_c = 0;
  for (std::uint64_t i = 0; i < 1000; ++i) {
    same_b += a.at(i) == b.at(i);
    same_c += a.at(i) == c.at(i);
  }
  EXPECT_LT(same_b, 10u);
  EXPECT_LT(same_c, 10u);
}

TEST(Assignment, GivesNoSequenceToTwoMiners) {
  const RoundOpen open = open_with(7);
  std::set<std::uint64_t> all;
  for (std::uint16_t uid = 0; uid < 7; ++uid)
    for (std::uint64_t s : assigned_sequences(kRun, open, Uid{uid}, 20, 10000)) all.insert(s);
  EXPECT_EQ(all.size(), 140u);
}

TEST(Assignment, RepeatsNoSequenceInLaterRoundsOfTheEpoch) {
  RoundOpen open = open_with(3);
  std::set<std::uint64_t> all;
  for (int round = 0; round < 10; ++round) {
    for (std::uint16_t uid = 0; uid < 3; ++uid)
      for (std::uint64_t s : assigned_sequences(kRun, open, Uid{uid}, 10, 1000)) all.insert(s);
    open.cursor += 30;
    open.beacon = sha256(open.beacon.bytes);
  }
  EXPECT_EQ(all.size(), 300u);
}

TEST(Assignment, IsShuffledByTheBeacon) {
  RoundOpen open = open_with(8);
  const auto before = assigned_sequences(kRun, open, Uid{0}, 4, 10000);
  std::size_t moved = 0;
  for (int trial = 0; trial < 10; ++trial) {
    open.beacon = sha256(open.beacon.bytes);
    moved += assigned_sequences(kRun, open, Uid{0}, 4, 10000) != before;
  }
  EXPECT_GE(moved, 5u);
}

TEST(Assignment, GivesNothingToWhoIsNoMinerOfTheRoster) {
  const RoundOpen open = open_with(2);
  EXPECT_TRUE(assigned_sequences(kRun, open, Uid{100}, 4, 10000).empty()) << "a validator";
  EXPECT_TRUE(assigned_sequences(kRun, open, Uid{50}, 4, 10000).empty()) << "a stranger";
}

TEST(Assignment, SurvivesACursorThatPointsOutsideTheData) {
  RoundOpen open = open_with(2);
  open.cursor = ~std::uint64_t{0} - 3;
  EXPECT_TRUE(assigned_sequences(kRun, open, Uid{0}, 4, 10000).empty());
}

TEST(FitCursor, StartsTheNextEpochWhenTooFewPositionsAreLeft) {
  EXPECT_EQ(fit_cursor({3, 900}, 4, 20, 1000), (DataCursor{3, 900}));
  EXPECT_EQ(fit_cursor({3, 901}, 4, 20, 1000), (DataCursor{4, 0})) << "980 may be assigned";
}

// All that can be drawn in a round of four slices of 20 that begins at `cursor`, of 1000 sequences,
// by their positions.
std::set<std::uint64_t> drawable(std::uint64_t cursor) {
  RoundOpen open = open_with(4);
  open.cursor = cursor;
  std::map<std::uint64_t, std::uint64_t> position_of;
  const SequencePermutation permutation(kRun, 0, 1000);
  for (std::uint64_t position = 0; position < 1000; ++position)
    position_of[permutation.at(position)] = position;
  std::set<std::uint64_t> positions;
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    Prng random(seed);
    const auto drawn = draw_unassigned(kRun, open, 20, 1000, random, 100);
    EXPECT_EQ(std::set<std::uint64_t>(drawn.begin(), drawn.end()).size(), 100u);
    for (const std::uint64_t sequence : drawn) positions.insert(position_of.at(sequence));
  }
  return positions;
}

std::set<std::uint64_t> all_but(std::uint64_t first, std::uint64_t end) {
  std::set<std::uint64_t> positions;
  for (std::uint64_t position = 0; position < 1000; ++position)
    if (position < first || position >= end) positions.insert(position);
  return positions;
}

TEST(DrawUnassigned, TakesNothingThatAnybodyHasBeenAssignedWhileHalfOfTheEpochIsLeft) {
  EXPECT_EQ(drawable(0), all_but(0, 80));
  EXPECT_EQ(drawable(420), all_but(0, 500));
}

// What is left of an epoch at its end is few and known long before: whoever has trained on it would
// know the draw.
TEST(DrawUnassigned, TakesFromAsMuchAtTheEndOfAnEpochAddingWhatWasAssignedLongestAgo) {
  EXPECT_EQ(drawable(700), all_but(280, 780));
  EXPECT_EQ(drawable(900), all_but(480, 980));
}

}  // namespace
}  // namespace muster::protocol
