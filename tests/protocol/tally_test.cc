#include "protocol/tally.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/prng.h"

namespace muster::protocol {
namespace {

const Uid kMiner{1};

WeighedScreen screen(std::uint16_t validator, std::uint64_t stake, Verdict verdict,
                     std::uint16_t standing = 1000, bool held = true, bool proven = false) {
  WeighedScreen weighed{Uid{validator}, stake, {}};
  weighed.screen.entries.push_back({kMiner, held, 0, verdict, standing, proven});
  return weighed;
}

Ruling ruling(const std::vector<WeighedScreen>& screens, std::uint64_t active,
              const Standing& before = {}) {
  return tally({{kMiner, before}}, screens, active).at(kMiner);
}

TEST(Tally, AcceptsEverybodyWithoutAnyScreen) {
  EXPECT_FALSE(ruling({}, 0).rejected);
  EXPECT_EQ(ruling({}, 0).standing, Standing{});
}

TEST(Tally, KeepsTheStandingOfWhomNobodySpeaksOf) {
  const Standing before{60'000, true};
  EXPECT_EQ(ruling({}, 0, before).standing, before);
  EXPECT_EQ(ruling({screen(10, 100, Verdict::kAccept, 5, false)}, 100, before).standing, before);
}

TEST(Tally, CallsAMinerProvenWhenMostOfTheWeightDoes) {
  const auto proven = screen(10, 50, Verdict::kAccept, 5, true, true);
  EXPECT_FALSE(ruling({proven, screen(11, 50, Verdict::kAccept, 5)}, 100).standing.proven)
      << "exactly half";
  EXPECT_TRUE(ruling({proven, screen(11, 49, Verdict::kAccept, 5)}, 99).standing.proven);
}

TEST(Tally, RejectsOnlyAboveHalfOfTheActiveStake) {
  const auto against = screen(10, 50, Verdict::kLowCosine);
  EXPECT_FALSE(ruling({against, screen(11, 50, Verdict::kAccept)}, 100).rejected) << "exactly half";
  EXPECT_TRUE(ruling({against, screen(11, 49, Verdict::kAccept)}, 99).rejected);
}

TEST(Tally, CountsAbsentActiveStakeAsNotRejecting) {
  EXPECT_FALSE(ruling({screen(10, 50, Verdict::kReplay)}, 150).rejected);
}

TEST(Tally, AddsUpDifferentReasonsAndNamesTheHeaviest) {
  const auto result = ruling({screen(10, 30, Verdict::kLowCosine), screen(11, 40, Verdict::kReplay),
                              screen(12, 30, Verdict::kAccept)},
                             100);
  EXPECT_TRUE(result.rejected);
  EXPECT_EQ(result.reason, Verdict::kReplay);
}

TEST(Tally, IgnoresValidatorsThatDidNotHoldThePayload) {
  EXPECT_FALSE(ruling({screen(10, 100, Verdict::kLowCosine, 0, false)}, 100).rejected);
}

TEST(Tally, TakesTheStakeWeightedLowerMedianOfStandings) {
  EXPECT_EQ(ruling({screen(10, 1, Verdict::kAccept, 5), screen(11, 1, Verdict::kAccept, 9)}, 2)
                .standing.value,
            5);
  EXPECT_EQ(ruling({screen(10, 1, Verdict::kAccept, 5), screen(11, 3, Verdict::kAccept, 9)}, 4)
                .standing.value,
            9);
}

TEST(Tally, ANewcomerValidatorWithoutStakeChangesNothing) {
  EXPECT_FALSE(ruling({screen(10, 0, Verdict::kReplay, 0)}, 0).rejected);
}

TEST(Tally, DoesNotOverflowWithTheLargestStakes) {
  const std::uint64_t most = ~std::uint64_t{0};
  EXPECT_TRUE(ruling({screen(10, most, Verdict::kReplay), screen(11, most, Verdict::kReplay)}, most)
                  .rejected);
}

TEST(Tally, DoesNotDependOnTheOrderOfScreens) {
  Prng random(8);
  for (int trial = 0; trial < 200; ++trial) {
    std::vector<WeighedScreen> screens;
    for (std::uint16_t v = 0; v < 5; ++v)
      screens.push_back(screen(v, 1 + random.below(5), static_cast<Verdict>(random.below(5)),
                               static_cast<std::uint16_t>(random.below(4))));
    const Ruling forward = ruling(screens, 12);
    std::reverse(screens.begin(), screens.end());
    const Ruling backward = ruling(screens, 12);
    EXPECT_EQ(forward.rejected, backward.rejected);
    EXPECT_EQ(forward.standing, backward.standing);
    EXPECT_EQ(forward.reason, backward.reason);
  }
}

Evaluation measured(std::uint16_t uid, std::int32_t drop_e6) {
  return {.uid = Uid{uid}, .basis = Basis::kMeasured, .drop_e6 = drop_e6};
}

TEST(MedianDrop, IsByWeight) {
  const std::vector<Evaluation> evaluations{measured(1, 100), measured(2, 0), measured(3, 0)};
  EXPECT_EQ(median_drop_e6(evaluations, {{Uid{1}, 5}, {Uid{2}, 1}, {Uid{3}, 1}}), 100);
  EXPECT_EQ(median_drop_e6(evaluations, {}), 0) << "without weights each counts as one";
}

TEST(MedianDrop, IsOfTheMeasuredOnly) {
  EXPECT_EQ(median_drop_e6({}, {}), std::nullopt);
  const std::vector<Evaluation> evaluations{{.uid = Uid{1}, .basis = Basis::kFault},
                                            measured(2, -7)};
  EXPECT_EQ(median_drop_e6(evaluations, {}), -7);
}

}  // namespace
}  // namespace muster::protocol
