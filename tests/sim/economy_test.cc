#include "sim/economy/economy.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "chain/runtime/views.h"

namespace muster::sim {
namespace {

// Two subnets, one of them with users, close to the first halving; small enough for a test.
Scenario small_scenario() {
  Scenario scenario;
  scenario.days = 20;
  scenario.network.subnet_limit = 2;
  scenario.network.network_immunity_blocks = 10;
  scenario.network.network_rate_limit_blocks = 100;
  scenario.stakers = {.count = 10, .tao = 1'000, .move_share = 0.2, .every_days = 1};
  for (const char* name : {"used", "unused"})
    scenario.subnets.push_back({.name = name, .miners = 6, .validators = 3, .pool_tao = 5'000});
  scenario.subnets[0].usage = {{0, 300}, {20, 600}};
  return scenario;
}

const SubnetSample* find(const Sample& sample, const std::string& name) {
  const auto found = std::find_if(sample.subnets.begin(), sample.subnets.end(),
                                  [&](const auto& subnet) { return subnet.name == name; });
  return found == sample.subnets.end() ? nullptr : &*found;
}

TEST(Economy, LeavesEverySumOfTheLedgerRight) {
  Scenario scenario = small_scenario();
  scenario.subnets.push_back({.name = "late", .launch_day = 8, .miners = 4, .validators = 2});
  Economy economy(scenario);
  while (!economy.finished()) economy.advance();
  EXPECT_EQ(chain::runtime::find_violations(economy.state()), std::vector<std::string>{});
}

TEST(Economy, TakesTheSameCourseFromTheSameSeed) {
  const auto root_of = [](std::uint64_t seed) {
    Scenario scenario = small_scenario();
    scenario.days = 3;
    scenario.seed = seed;
    Economy economy(scenario);
    while (!economy.finished()) economy.advance();
    return chain::runtime::state_hash(economy.state());
  };
  EXPECT_EQ(root_of(1), root_of(1));
  EXPECT_NE(root_of(1), root_of(2));
}

TEST(Economy, DrawsStakeToTheSubnetThatIsUsed) {
  const Sample last = run_economy(small_scenario()).samples.back();
  ASSERT_NE(find(last, "used"), nullptr);
  ASSERT_NE(find(last, "unused"), nullptr);
  EXPECT_GT(find(last, "used")->price, 1.1 * find(last, "unused")->price);
  EXPECT_GT(find(last, "used")->stakers_tao, 2 * find(last, "unused")->stakers_tao);
  EXPECT_GT(find(last, "used")->emission_share, find(last, "unused")->emission_share);
}

TEST(Economy, GivesTheUnusedSubnetsPlaceToANewOne) {
  Scenario scenario = small_scenario();
  scenario.subnets.push_back({.name = "late", .launch_day = 10, .miners = 4, .validators = 2});
  const History history = run_economy(scenario);
  const Sample& last = history.samples.back();
  EXPECT_EQ(find(last, "unused"), nullptr);
  ASSERT_NE(find(last, "late"), nullptr);
  ASSERT_EQ(history.happenings.size(), 2u);
  EXPECT_NE(history.happenings[0].what.find("unused is deregistered"), std::string::npos);
  EXPECT_NE(history.happenings[1].what.find("late is registered"), std::string::npos);
}

TEST(Economy, MintsHalfAfterTheHalving) {
  Scenario scenario = small_scenario();
  scenario.days = 4;
  scenario.issuance_tao = 10'490'000;
  const History history = run_economy(scenario);
  EXPECT_EQ(history.samples.front().tao_per_block, 1.0);
  EXPECT_EQ(history.samples.back().tao_per_block, 0.5);
}

TEST(Economy, PaysEveryRole) {
  const auto& roles = run_economy(small_scenario()).samples.back().roles;
  for (const auto& role : roles) EXPECT_GT(role.paid_tao, 0);
  const auto paid = [&](EconomicRole role) {
    return roles[static_cast<std::size_t>(role)].paid_tao;
  };
  EXPECT_GT(paid(EconomicRole::kMiner), paid(EconomicRole::kCreator)) << "41 % against 18 %";
}

TEST(Economy, IsRefusedNothingInAQuietScenario) {
  EXPECT_EQ(run_economy(small_scenario()).refused, (std::map<std::string, std::uint64_t>{}));
}

TEST(Scenario, ChangesUsageEvenlyBetweenItsPoints) {
  const SubnetPlan plan{.name = "a", .usage = {{10, 100}, {20, 300}}};
  EXPECT_EQ(usage_on(plan, 0), 0);
  EXPECT_EQ(usage_on(plan, 5), 50);
  EXPECT_EQ(usage_on(plan, 15), 200);
  EXPECT_EQ(usage_on(plan, 99), 300);
}

TEST(Scenario, NamesTheFieldThatCannotWork) {
  const auto problem = [](auto&& change) {
    Scenario scenario = small_scenario();
    change(scenario);
    const Status status = validate(scenario);
    return status ? std::string() : status.error().message;
  };
  EXPECT_EQ(problem([](Scenario&) {}), "");
  EXPECT_NE(problem([](Scenario& s) { s.days = 0; }).find("'scenario.days' must be"),
            std::string::npos);
  EXPECT_NE(problem([](Scenario& s) { s.subnets.clear(); }).find("'subnet' must be"),
            std::string::npos);
  EXPECT_NE(problem([](Scenario& s) { s.subnets[1].name = "used"; }).find("'subnet.name'"),
            std::string::npos);
  EXPECT_NE(
      problem([](Scenario& s) { s.subnets[0].miners_sell = 2; }).find("subnet used.miners_sell"),
      std::string::npos);
  EXPECT_NE(problem([](Scenario& s) {
              s.subnets[0].usage = {{5, 1}, {5, 2}};
            }).find("usage"),
            std::string::npos);
  EXPECT_NE(problem([](Scenario& s) { s.stakers.root_share = -1; }).find("stakers.root_share"),
            std::string::npos);
}

}  // namespace
}  // namespace muster::sim
