#include "cli/run_report.h"

#include <gtest/gtest.h>

namespace muster::cli {
namespace {

using nlohmann::json;

class RunReportTest : public ::testing::Test {
 protected:
  PublicKey honest_{{1}}, cheater_{{2}};
  RunReport report_{{{"miner-1", "honest", honest_}, {"noise-1", "noise", cheater_}}};

  void play_round(int round, std::int64_t start_ms) {
    report_.take("miner-1", {{"event", "trained"},
                             {"round", round},
                             {"start_ms", start_ms},
                             {"end_ms", start_ms + 1000}});
    report_.take("noise-1", {{"event", "trained"},
                             {"round", round},
                             {"start_ms", start_ms - 400},
                             {"end_ms", start_ms + 9000}});
    report_.take("coordinator", {{"event", "sealed"},
                                 {"round", round},
                                 {"accepted", 1},
                                 {"miners", 2},
                                 {"theta_root", "aa"}});
    report_.take("validator-1", {{"event", "held_out"}, {"round", round}, {"loss", 3.0 - round}});
    report_.take("miner-1", {{"event", "applied"}, {"round", round}, {"theta_root", "aa"}});
    for (const char* name : {"miner-1", "noise-1"})
      report_.take(name, {{"event", "round"},
                          {"round", round},
                          {"in_roster", 1},
                          {"outcome", name == std::string("miner-1") ? "accepted" : "rejected"},
                          {"bytes_up", 1000},
                          {"bytes_down", 2000}});
  }
};

TEST_F(RunReportTest, ShowsALinePerCompleteRound) {
  play_round(0, 1000);
  EXPECT_EQ(report_.new_lines(2).size(), 1u);
  EXPECT_TRUE(report_.new_lines(2).empty()) << "each line once";
}

TEST_F(RunReportTest, MeasuresOverheadBetweenHonestMinersOnly) {
  play_round(0, 1000);
  play_round(1, 2300);
  const auto summary = report_.summary({}, 1000);
  EXPECT_NEAR(summary["overhead_s_per_round"].get<double>(), 0.3, 1e-9);
  EXPECT_NEAR(summary["bytes_up_per_parameter"].get<double>(), 1.0, 1e-9);
  EXPECT_EQ(summary["loss_last"], 2.0);
}

TEST_F(RunReportTest, ReportsWeightAndPayFromTheLedger) {
  play_round(0, 1000);
  protocol::Metagraph metagraph;
  metagraph.neurons = {
      {.uid = Uid{0}, .hotkey = honest_, .incentive = 65535, .earned = 2'000'000'000},
      {.uid = Uid{1}, .hotkey = cheater_}};
  const auto miners = report_.summary(metagraph, 1000)["miners"];
  EXPECT_EQ(miners[0]["weight"], 65535);
  EXPECT_EQ(miners[0]["earned"], 2.0);
  EXPECT_EQ(miners[1]["weight"], 0);
  EXPECT_EQ(miners[1]["rounds_rejected"], 1);
}

TEST_F(RunReportTest, NamesANodeThatWasAtAnotherStateForAWhile) {
  report_.take("validator-1",
               {{"event", "applied"}, {"round", 0}, {"theta_root", std::string(64, 'f')}});
  report_.take("validator-1",
               {{"event", "applied"}, {"round", 0}, {"theta_root", std::string(64, 'a')}});
  ASSERT_FALSE(report_.state_root_conflicts().empty());
  EXPECT_NE(report_.state_root_conflicts()[0].find("and later aaaa"), std::string::npos);
}

TEST_F(RunReportTest, NamesANodeWhoseStateRootDiffers) {
  play_round(0, 1000);
  EXPECT_TRUE(report_.state_root_conflicts().empty());
  report_.take("miner-2", {{"event", "applied"}, {"round", 0}, {"theta_root", "bb"}});
  ASSERT_EQ(report_.state_root_conflicts().size(), 1u);
  EXPECT_NE(report_.state_root_conflicts()[0].find("miner-2"), std::string::npos);
}

}  // namespace
}  // namespace muster::cli
