#include "sim/attacks/campaign.h"

#include <gtest/gtest.h>

#include <cmath>

namespace muster::sim {
namespace {

const Attack* named(std::string_view name) { return find_attack(name); }

// A miner that is paid `pay` of an honest one in every round.
LabMiner career(const Attack* attack, double pay, std::size_t rounds = 10) {
  LabMiner miner{attack, 0, {}, {}, {}};
  for (std::size_t r = 0; r < rounds; ++r) {
    Observation seen;
    const auto basis = pay > 0 ? protocol::Basis::kMeasured : protocol::Basis::kRejected;
    seen.evaluation = {Uid{1}, Round{r}, basis, {300, {}, {300}}, 1000, 0, pay > 0};
    seen.verdict = pay > 0 ? protocol::Verdict::kAccept : protocol::Verdict::kLowCosine;
    seen.weight = static_cast<std::uint16_t>(60'000 * pay);
    seen.pay = pay;
    miner.rounds.push_back(seen);
  }
  return miner;
}

CampaignConfig config_of(std::vector<const Attack*> attacks) {
  CampaignConfig config;
  config.params.rounds = 10;
  config.attacks = std::move(attacks);
  config.scored_seeds = {1};
  config.honest = 1;
  config.settled = 5;
  return config;
}

LabReport scored(std::vector<LabMiner> miners) {
  LabReport report;
  report.miners = std::move(miners);
  report.held_out = {{10, 2.0}};
  report.miners.front().beside.judged = 1000;
  std::uint16_t weight = 9;
  for (LabMiner& miner : report.miners) miner.weights = {weight, weight--};
  return report;
}

CampaignFigures figures_of_reports(const CampaignConfig& config,
                                   const std::vector<LabReport>& reports) {
  const auto jobs = jobs_of(config);
  std::vector<Career> careers;
  for (std::size_t j = 0; j < jobs.size(); ++j)
    for (auto& career : careers_of(config, jobs[j], reports[j]))
      careers.push_back(std::move(career));
  return figures_of(config, careers);
}

TEST(Campaign, PassesWhenNobodyIsPaidForWorkNotDone) {
  const auto config = config_of({named("noise"), named("lazy-50")});
  const auto figures = figures_of_reports(
      config,
      {scored({career(nullptr, 1), career(named("noise"), 0), career(named("lazy-50"), 0.54)})});
  EXPECT_EQ(figures.missed(), std::vector<std::string>{});
  EXPECT_EQ(figures.attacks[0].unpaid, 1);
  EXPECT_EQ(figures.attacks[0].screened, 1);
  EXPECT_EQ(figures.agreement, 1);
}

TEST(Campaign, NamesWhoIsPaidTooMuch) {
  const auto config = config_of({named("noise"), named("lazy-50")});
  const auto figures = figures_of_reports(
      config,
      {scored({career(nullptr, 1), career(named("noise"), 0.06), career(named("lazy-50"), 0.58)})});
  ASSERT_EQ(figures.missed().size(), 2u);
  EXPECT_NE(figures.missed()[0].find("noise earns 6.0 %"), std::string::npos);
  EXPECT_NE(figures.missed()[1].find("lazy-50 earns 58.0 %"), std::string::npos);
}

TEST(Campaign, NamesWhoIsPaidTooMuchInOneSeed) {
  auto config = config_of({named("lazy-50")});
  config.scored_seeds = {1, 2};
  const auto figures =
      figures_of_reports(config, {scored({career(nullptr, 1), career(named("lazy-50"), 0.4)}),
                                  scored({career(nullptr, 1), career(named("lazy-50"), 0.62)})});
  ASSERT_EQ(figures.missed().size(), 1u);
  EXPECT_NE(figures.missed()[0].find("62.0 % of an honest miner in one seed, more than 60.0 %"),
            std::string::npos);
}

TEST(Campaign, NamesHonestMinersThatWereRefusedOrUnpaid) {
  auto report = scored({career(nullptr, 0)});
  report.miners.front().beside.refused = 6;
  const auto figures = figures_of_reports(config_of({}), {report});
  EXPECT_NEAR(figures.honest_refused, 0.006, 1e-12);
  EXPECT_GT(figures.honest_unpaid, 0u);
  EXPECT_EQ(figures.missed().size(), 2u);
}

TEST(Campaign, HarmIsMeasuredAgainstTheSameHonestMinersAlone) {
  auto config = config_of({named("noise")});
  config.scored_seeds.clear();
  config.harm_seeds = {{30, {7}}};
  const auto jobs = jobs_of(config);
  ASSERT_EQ(jobs.size(), 2u);
  EXPECT_EQ(jobs[0].attack, nullptr);
  EXPECT_EQ(jobs[0].lab.honest, 7u);
  EXPECT_EQ(jobs[0].lab.attackers.size(), 3u)
      << "nobody in their places, so that the data is the same";
  EXPECT_EQ(jobs[1].lab.honest, 7u);
  EXPECT_EQ(jobs[1].lab.attackers.size(), 3u);
  EXPECT_TRUE(jobs[1].lab.aggregated);
  auto alone = scored({career(nullptr, 1), career(&nobody(), 0)});
  auto with = scored({career(nullptr, 1), career(named("noise"), 0)});
  with.held_out = {{10, 2.1}};
  const auto figures = figures_of_reports(config, {alone, with});
  EXPECT_NEAR(figures.attacks[0].harm.at(30).loss, 0.05, 1e-12);
  ASSERT_EQ(figures.missed().size(), 1u);
  EXPECT_NE(figures.missed()[0].find("noise at 30 % raises the final loss by 5.0 %"),
            std::string::npos);
}

TEST(Campaign, AMachineOfTwoHotkeysEarnsWhatBothEarn) {
  const Attack halves{"halves", "half each", 0.5, {}, {}, nullptr, 2};
  const auto config = config_of({&halves});
  auto first = career(&halves, 0.4), second = career(&halves, 0.3);
  second.hotkey = 1;
  const auto figures = figures_of_reports(config, {scored({career(nullptr, 1), first, second})});
  EXPECT_NEAR(figures.attacks.at(0).pay, 0.7, 1e-12);
  EXPECT_EQ(figures.attacks[0].work, 1);
  EXPECT_NEAR(figures.attacks[0].pay_limit(), 1.05, 1e-12);
}

TEST(Campaign, AsksOnlyForLabsThatAreNotKnown) {
  auto config = config_of({named("noise"), named("lazy-50")});
  config.scored_seeds = {1, 2};
  const auto careers = careers_of(config, jobs_of(config)[0],
                                  scored({career(nullptr, 1), career(named("noise"), 0)}));
  const auto jobs = jobs_of(config, careers);
  ASSERT_EQ(jobs.size(), 2u);
  EXPECT_EQ(jobs[0].seed, 1u);
  EXPECT_EQ(jobs[0].lab.attackers, std::vector{named("lazy-50")});
  EXPECT_EQ(jobs[1].lab.attackers, config.attacks);
}

TEST(Campaign, NamesItsRulesByAllButSeedsAndAttacks) {
  const auto config = config_of({named("noise")});
  auto other = config;
  other.attacks.clear();
  other.scored_seeds = {5};
  other.params.model_seed = 5;
  EXPECT_EQ(rules_of(config), rules_of(other));
  other.measured_share = 0.5;
  EXPECT_NE(rules_of(config), rules_of(other));
  other = config;
  other.params.training.batch = 3;
  EXPECT_NE(rules_of(config), rules_of(other));
}

TEST(Campaign, ATurncoatSettlesFromTheRoundInWhichItTurns) {
  LabMiner miner = career(named("turncoat"), 1, 23);
  const LabMiner found = career(named("turncoat"), 0, 7);
  miner.rounds.insert(miner.rounds.end(), found.rounds.begin(), found.rounds.end());
  auto config = config_of({named("turncoat")});
  config.settled = 25;
  const auto figures = figures_of_reports(config, {scored({career(nullptr, 1, 30), miner})});
  EXPECT_EQ(figures.attacks[0].settles, 3);
  EXPECT_EQ(figures.attacks[0].pay, 0);
}

TEST(KendallTauB, IsOneForTheSameOrderAndMinusOneForTheOpposite) {
  EXPECT_EQ(kendall_tau_b({1, 2, 3}, {10, 20, 30}), 1);
  EXPECT_EQ(kendall_tau_b({1, 2, 3}, {3, 2, 1}), -1);
  EXPECT_EQ(kendall_tau_b({5, 5}, {7, 7}), 1);
}

// Worked by hand: of six pairs 5 are untied in a, 3 in b, 2 in both, and these agree.
TEST(KendallTauB, CorrectsForTies) {
  EXPECT_NEAR(kendall_tau_b({1, 1, 2, 3}, {1, 2, 2, 2}), 2 / std::sqrt(5.0 * 3.0), 1e-12);
}

}  // namespace
}  // namespace muster::sim
