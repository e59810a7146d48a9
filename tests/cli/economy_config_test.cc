#include "cli/economy_config.h"

#include <gtest/gtest.h>

#include "base/file.h"
#include "tests/temporary_directory.h"

namespace muster::cli {
namespace {

const std::filesystem::path kExample =
    std::filesystem::path(MUSTER_SOURCE_DIR) / "examples/economy.toml";

TEST(EconomyConfig, ReadsTheExample) {
  const auto scenario = read_scenario(kExample, {"scenario.days=3", "network.emission_gate=true"});
  ASSERT_TRUE(scenario.has_value()) << scenario.error().message;
  EXPECT_EQ(scenario->days, 3);
  EXPECT_EQ(scenario->network.emission_rule, chain::runtime::EmissionRule::kGated);
  ASSERT_EQ(scenario->subnets.size(), 4u);
  EXPECT_EQ(scenario->subnets[0].name, "translate");
  EXPECT_EQ(scenario->subnets[0].usage.size(), 3u);
  EXPECT_EQ(scenario->subnets[3].launch_day, 90);
}

TEST(EconomyConfig, NamesTheFieldThatIsWrong) {
  muster::testing::TemporaryDirectory directory;
  const auto problem = [&](const std::string& text) {
    EXPECT_TRUE(replace_file(directory / "s.toml", bytes_of(text)));
    const auto scenario = read_scenario(directory / "s.toml", {});
    return scenario ? std::string() : scenario.error().message;
  };
  EXPECT_NE(problem("[[subnet]]\nname = \"a\"\nusage = [[1, 2, 3]]\n")
                .find("s.toml:3: 'subnet[0].usage'"),
            std::string::npos);
  EXPECT_NE(
      problem("[[subnet]]\nname = \"a\"\nminer = 3\n").find("'subnet[0].miner' is no known field"),
      std::string::npos);
  EXPECT_NE(problem("[scenario]\ndays = 0\n").find("'scenario.days' must be"), std::string::npos);
  EXPECT_NE(problem("[[subnet]]\nname = \"a\"\nminers_sell = 2.0\n").find("subnet a.miners_sell"),
            std::string::npos);
}

}  // namespace
}  // namespace muster::cli
