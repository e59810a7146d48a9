#include "verify/draws.h"

#include <gtest/gtest.h>

#include <cmath>

namespace muster::verify {
namespace {

Hash place(std::uint64_t n) {
  ByteWriter writer;
  writer.write(n);
  return tagged_hash("muster/test-draw", writer.bytes());
}

std::vector<Uid> order_of(std::uint64_t n, const std::vector<Measurable>& miners) {
  return measuring_order(protocol::Secret{}, place(n), miners);
}

std::vector<Measurable> equals(std::uint16_t count, bool newcomers = false,
                               std::uint16_t first = 0) {
  std::vector<Measurable> miners;
  for (std::uint16_t i = 0; i < count; ++i)
    miners.push_back({Uid{static_cast<std::uint16_t>(first + i)}, 1, newcomers});
  return miners;
}

// How often `uid` is among the first `count` of 4000 draws.
double share_drawn(const std::vector<Measurable>& miners, Uid uid, std::size_t count) {
  constexpr int kDraws = 4000;
  int drawn = 0;
  for (int n = 0; n < kDraws; ++n) {
    const auto order = order_of(static_cast<std::uint64_t>(n), miners);
    drawn += std::find(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(count), uid) !=
             order.begin() + static_cast<std::ptrdiff_t>(count);
  }
  return drawn / static_cast<double>(kDraws);
}

TEST(MeasuringOrder, HasEveryMinerOnceAndIsTheSameForTheSameSecretAndBeacon) {
  auto order = order_of(1, equals(20));
  EXPECT_EQ(order, order_of(1, equals(20)));
  EXPECT_NE(order, order_of(2, equals(20)));
  EXPECT_NE(order, measuring_order(protocol::Secret{1}, place(1), equals(20)));
  std::sort(order.begin(), order.end());
  for (std::uint16_t i = 0; i < 20; ++i) EXPECT_EQ(order[i], Uid{i});
}

TEST(MeasuringOrder, DrawsEqualsEquallyOften) {
  EXPECT_NEAR(share_drawn(equals(8), Uid{0}, 2), 0.25, 0.03);
  EXPECT_NEAR(share_drawn(equals(8), Uid{7}, 2), 0.25, 0.03);
}

TEST(MeasuringOrder, DrawsTheMoreUncertainMoreOften) {
  auto miners = equals(8);
  for (std::size_t i = 0; i < 7; ++i) miners[i].uncertainty = std::sqrt(0.5);
  EXPECT_NEAR(share_drawn(miners, Uid{7}, 1), 1 / (1 + 7 * 0.5), 0.03);
}

TEST(MeasuringOrder, DrawsTheMostCertainStillAtAQuarterOfTheLargestWeight) {
  auto miners = equals(2);
  miners[0].uncertainty = 0;
  EXPECT_NEAR(share_drawn(miners, Uid{0}, 1), 0.2, 0.03);
}

TEST(MeasuringOrder, GivesNewcomersAQuarterHoweverManyTheyAre) {
  auto miners = equals(12);
  for (const Measurable& newcomer : equals(400, true, 100)) miners.push_back(newcomer);
  for (std::uint64_t n = 0; n < 20; ++n) {
    const auto order = order_of(n, miners);
    const auto newcomers =
        std::count_if(order.begin(), order.begin() + 8, [](Uid uid) { return uid.value >= 100; });
    EXPECT_EQ(newcomers, 2);
  }
}

TEST(MeasuringOrder, GivesASingleNewcomerItsPlaceInAQuarterOfTheRoundsWithTimeForOne) {
  auto miners = equals(12);
  miners.push_back({Uid{100}, 10, true});
  EXPECT_NEAR(share_drawn(miners, Uid{100}, 1), 0.25, 0.03);
  EXPECT_EQ(share_drawn(miners, Uid{100}, 4), 1);
}

TEST(MeasuringOrder, TakesTheOthersWhenOneKindIsUsedUp) {
  EXPECT_EQ(order_of(1, equals(9, true)).size(), 9u);
  auto miners = equals(2);
  for (const Measurable& newcomer : equals(9, true, 100)) miners.push_back(newcomer);
  EXPECT_EQ(order_of(1, miners).size(), 11u);
}

TEST(LateBeacon, DependsOnTheKeysAndOnTheSecretsOfTheRound) {
  protocol::Manifest manifest;
  const Hash before = late_beacon(manifest);
  manifest.reveals_hash.bytes[0] ^= 1;
  const Hash other_keys = late_beacon(manifest);
  manifest.next_beacon.bytes[0] ^= 1;
  EXPECT_NE(before, other_keys);
  EXPECT_NE(other_keys, late_beacon(manifest));
}

}  // namespace
}  // namespace muster::verify
