// Whole networks in simulation. The many seeds run by `muster sim` beside these.
#include "sim/world.h"

#include <gtest/gtest.h>

namespace muster::sim {
namespace {

WorldConfig calm(std::uint64_t seed) {
  WorldConfig config;
  config.seed = seed;
  config.rounds = 8;
  config.cheaters = 0;
  config.partitions = false;
  return config;
}

std::string all(const std::vector<std::string>& violations) {
  std::string text;
  for (const std::string& violation : violations) text += violation + "\n";
  return text;
}

TEST(World, ACalmNetworkSealsEveryRoundWithEverybody) {
  const WorldReport report = run_world(calm(1));
  EXPECT_TRUE(report.ok()) << all(report.violations);
  EXPECT_EQ(report.sealed_rounds, 8u);
  EXPECT_GE(report.honest_accepted, 8u * 8 - 4) << "screening may err at chance level only";
  EXPECT_LT(report.loss_last, report.loss_first);
}

TEST(World, RepeatsExactlyForASeed) {
  const WorldReport a = run_world(random_world(5)), b = run_world(random_world(5));
  EXPECT_EQ(a.messages, b.messages);
  EXPECT_EQ(a.simulated_ms, b.simulated_ms);
  EXPECT_EQ(a.loss_last, b.loss_last);
}

TEST(World, CrashesOfEveryNodeLoseNothing) {
  WorldConfig config = calm(2);
  config.crash_per_action = 0.02;
  const WorldReport report = run_world(config);
  EXPECT_TRUE(report.ok()) << all(report.violations);
  EXPECT_GT(report.crashes, 20u);
}

TEST(World, LossDuplicationAndReorderingDoNotStallIt) {
  WorldConfig config = calm(3);
  config.faults = {.loss = 0.2, .duplication = 0.3, .delay_min_ms = 1, .delay_max_ms = 1500};
  const WorldReport report = run_world(config);
  EXPECT_TRUE(report.ok()) << all(report.violations);
}

TEST(World, WhoComesLateTakesAnAttestedCheckpoint) {
  WorldConfig config = calm(6);
  config.rounds = 12;
  config.late_joiners = 2;
  const WorldReport report = run_world(config);
  EXPECT_TRUE(report.ok()) << all(report.violations);
  EXPECT_GE(report.joins, 2u);
}

TEST(World, WhoComesLateReplaysTheRoundsWithoutCheckpoints) {
  WorldConfig config = calm(6);
  config.rounds = 12;
  config.late_joiners = 2;
  config.checkpoint_every = 0;
  const WorldReport report = run_world(config);
  EXPECT_TRUE(report.ok()) << all(report.violations);
  EXPECT_EQ(report.joins, 0u);
}

TEST(World, AValidatorWithoutItsFolderFindsItsRatingsInTheRecords) {
  WorldConfig config = calm(11);
  config.rounds = 16;
  config.folder_lost_before = Round{10};
  const WorldReport report = run_world(config);
  EXPECT_TRUE(report.ok()) << all(report.violations)
                           << "the audit finds other standings than its evaluations give";
  EXPECT_EQ(report.joins, 0u) << "a checkpoint has no ratings";
  EXPECT_EQ(report.crashes, 1u);
}

TEST(World, WithoutValidatorsNobodyBelievesACheckpoint) {
  WorldConfig config = calm(6);
  config.rounds = 12;
  config.validators = 0;
  config.late_joiners = 1;
  const WorldReport report = run_world(config);
  EXPECT_TRUE(report.ok()) << all(report.violations);
  EXPECT_EQ(report.joins, 0u);
}

TEST(World, ANodeWithAFlippedBitStartsOverAndIsRightAgain) {
  WorldConfig config = calm(7);
  config.rounds = 12;
  config.bit_flips_per_round = 0.05;
  const WorldReport report = run_world(config);
  EXPECT_TRUE(report.ok()) << all(report.violations);
  EXPECT_GT(report.bit_flips, 0u);
  EXPECT_GT(report.restarts_from_genesis, 0u);
}

TEST(World, ACoordinatorRecoversFromItsCheckpoint) {
  WorldConfig config = calm(8);
  config.rounds = 12;
  config.crash_per_action = 0.02;
  config.checkpoint_every = 2;
  const WorldReport report = run_world(config);
  EXPECT_TRUE(report.ok()) << all(report.violations);
  EXPECT_GT(report.crashes, 20u);
}

TEST(World, CheatersAreKeptOutOfTheAggregate) {
  WorldConfig config = calm(4);
  config.cheaters = 2;
  config.rounds = 12;
  const WorldReport report = run_world(config);
  EXPECT_TRUE(report.ok()) << all(report.violations);
  // Nobody judges in round 0, since no secret was promised yet.
  EXPECT_LE(report.cheater_accepted, 6u);
}

// Registered hotkeys that send whatever they like: rounds go on, every node starts again, nothing
// piles up.
TEST(Hostile, NobodyStopsARun) {
  WorldConfig config = calm(9);
  config.hostiles = 4;
  const WorldReport report = run_world(config);
  EXPECT_TRUE(report.ok()) << all(report.violations);
  EXPECT_GT(report.hostile_steps, 1000u);
  EXPECT_EQ(report.sealed_rounds, 8u);
}

TEST(Hostile, NobodyStopsARunWhoseNodesCrash) {
  for (std::uint64_t seed = 1; seed <= 3; ++seed) {
    WorldConfig config = calm(seed);
    config.hostiles = 4;
    config.crash_per_action = 0.002;  // of many more actions than elsewhere
    config.time_limit_ms = 20 * 60 * 1000;
    const WorldReport report = run_world(config);
    EXPECT_TRUE(report.ok()) << "seed " << seed << "\n" << all(report.violations);
  }
}

}  // namespace
}  // namespace muster::sim
