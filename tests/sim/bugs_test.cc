// Each checker must find the bug that is planted for it: a checker that cannot fail checks nothing.
#include <gtest/gtest.h>

#include <algorithm>

#include "sim/world.h"

namespace muster::sim {
namespace {

// A short world of honest nodes with the bug, which goes on after a violation.
WorldConfig world_with(PlantedBug bug) {
  WorldConfig config;
  config.rounds = 6;
  config.cheaters = 0;
  config.partitions = false;
  config.bug = bug;
  config.stop_at_violation = false;
  config.time_limit_ms = 3 * 60 * 1000;
  return config;
}

// Runs seeds until one shows the violation.
bool shows(WorldConfig config, const std::string& violation, std::uint64_t seeds) {
  for (config.seed = 1; config.seed <= seeds; ++config.seed) {
    const WorldReport report = run_world(config);
    if (std::ranges::any_of(report.violations, [&](const auto& found) {
          return found.find(violation) != std::string::npos;
        }))
      return true;
  }
  return false;
}

bool finds(PlantedBug bug, const std::string& violation) {
  WorldConfig config = world_with(bug);
  config.cheaters = 1;
  return shows(config, violation, 6);
}

TEST(PlantedBug, ASecondManifestOfARoundIsFound) {
  EXPECT_TRUE(finds(PlantedBug::kForkedManifest, "two different Manifests"));
}
TEST(PlantedBug, AnotherCloseForOneValidatorIsFound) {
  EXPECT_TRUE(finds(PlantedBug::kForkedClose, "two different CommitsCloseds"));
  EXPECT_TRUE(finds(PlantedBug::kForkedClose, "accuses the coordinator: forked close"))
      << "the validator itself can prove it";
}
TEST(PlantedBug, AMinerProvesByItsReceiptsThatItsCommitWasLeftOut) {
  EXPECT_TRUE(finds(PlantedBug::kVolatileJournal, "accuses the coordinator: censored"));
}
TEST(PlantedBug, AStakeThatTheLedgerDoesNotHaveIsFound) {
  EXPECT_TRUE(finds(PlantedBug::kLyingRoster, "accuses the coordinator: roster"));
}
// It doubts itself first and starts over; what the coordinator then shows it is another manifest,
// and both are signed.
TEST(PlantedBug, AValidatorProvesThatItWasShownAForgedSeal) {
  EXPECT_TRUE(finds(PlantedBug::kUnacceptedPayload, "accuses the coordinator: forked close"));
}
TEST(PlantedBug, OneFlippedBitOfOneNodesParametersIsFound) {
  EXPECT_TRUE(finds(PlantedBug::kFlippedBit, "is at another state"));
}
// It also notices by itself, from what the validators attest, and starts over; but with a bit that
// flips every time it stops with a dispute.
TEST(PlantedBug, TheNodeWhoseBitFlipsAgainDisputesItsState) {
  WorldConfig config;
  config.checkpoint_every = 0;
  config.rounds = 8;
  config.cheaters = 0;
  config.partitions = false;
  config.bug = PlantedBug::kFlippedBit;
  config.stop_at_violation = false;
  const auto violations = run_world(config).violations;
  EXPECT_TRUE(std::any_of(violations.begin(), violations.end(), [](const auto& found) {
    return found.find("miner-3 accuses the coordinator: state root") != std::string::npos;
  }));
}

TEST(PlantedBug, AnUnacceptedPayloadInTheAggregateIsFound) {
  EXPECT_TRUE(finds(PlantedBug::kUnacceptedPayload, "a payload that is not accepted has weight"));
}
TEST(PlantedBug, AnAcknowledgedCommitThatACrashLosesIsFound) {
  EXPECT_TRUE(finds(PlantedBug::kVolatileJournal, "an acknowledged commit"));
}
TEST(PlantedBug, AnHonestNodeDrivenIntoEquivocationIsFound) {
  EXPECT_TRUE(finds(PlantedBug::kForgetfulMiner, "an honest node stands in evidence"));
}

// What hostile hotkeys and crashes must bring to light.
bool hostile_finds(PlantedBug bug, const std::string& violation, std::uint32_t hostiles,
                   double crashes) {
  WorldConfig config = world_with(bug);
  config.hostiles = hostiles;
  config.crash_per_action = crashes;
  return shows(config, violation, 4);
}

TEST(PlantedBug, UploadsThatNobodyAskedForAreFoundOnTheDisk) {
  EXPECT_TRUE(hostile_finds(PlantedBug::kKeptUploads, "blobs that nothing names", 4, 0));
}
TEST(PlantedBug, ARestartThatIsNotNotedBricksANode) {
  EXPECT_TRUE(hostile_finds(PlantedBug::kUnnotedRestart, "its journal", 0, 0.03));
}
TEST(PlantedBug, ADiskThatKeepsWhateverArrivesIsFound) {
  EXPECT_TRUE(hostile_finds(PlantedBug::kUnboundedDisputes, "filled it", 4, 0));
}

}  // namespace
}  // namespace muster::sim
