// Each checker must find the bug that is planted for it: a checker that cannot fail checks nothing.
#include <gtest/gtest.h>

#include <algorithm>

#include "sim/world.h"

namespace muster::sim {
namespace {

// Runs seeds until one shows the bug.
bool finds(PlantedBug bug, const std::string& violation) {
  for (std::uint64_t seed = 1; seed <= 6; ++seed) {
    WorldConfig config;
    config.seed = seed;
    config.rounds = 6;
    config.cheaters = 1;
    config.partitions = false;
    config.bug = bug;
    config.stop_at_violation = false;
    config.time_limit_ms = 3 * 60 * 1000;
    const WorldReport report = run_world(config);
    if (std::any_of(report.violations.begin(), report.violations.end(), [&](const auto& found) {
          return found.find(violation) != std::string::npos;
        }))
      return true;
  }
  return false;
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
// It doubts itself first and starts over; what the coordinator then shows it is another manifest, and both are signed.
TEST(PlantedBug, AValidatorProvesThatItWasShownAForgedSeal) {
  EXPECT_TRUE(finds(PlantedBug::kUnacceptedPayload, "accuses the coordinator: forked close"));
}
TEST(PlantedBug, OneFlippedBitOfOneNodesParametersIsFound) {
  EXPECT_TRUE(finds(PlantedBug::kFlippedBit, "is at another state"));
}
// It also notices by itself, from what the validators attest, and starts over; but with a bit that flips
// every time it stops with a dispute.
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
bool hostile_finds(PlantedBug bug, const std::string& violation, std::uint32_t hostiles, double crashes) {
  for (std::uint64_t seed = 1; seed <= 4; ++seed) {
    WorldConfig config;
    config.seed = seed;
    config.rounds = 6;
    config.cheaters = 0;
    config.hostiles = hostiles;
    config.partitions = false;
    config.crash_per_action = crashes;
    config.bug = bug;
    config.stop_at_violation = false;
    config.time_limit_ms = 3 * 60 * 1000;
    const WorldReport report = run_world(config);
    if (std::ranges::any_of(report.violations, [&](const auto& found) {
          return found.find(violation) != std::string::npos;
        }))
      return true;
  }
  return false;
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
