#include "cli/attack_settings.h"

#include <gtest/gtest.h>

#include "cli/run_config.h"

namespace muster::cli {
namespace {

TEST(AttackSettings, AreAllOfTheExampleAndHaveRoundsLeftOnceRatingsHaveSettled) {
  for (const AttackSetting& setting : attack_settings()) {
    const auto config = read_run_config(
        std::filesystem::path(MUSTER_SOURCE_DIR) / "examples/attacks.toml", setting.overrides);
    ASSERT_TRUE(config) << setting.name << ": " << config.error().message;
    EXPECT_TRUE(state::validate(config->params.model)) << setting.name;
    EXPECT_LE(setting.settled, config->params.rounds * 7 / 10) << setting.name;
    EXPECT_GE(setting.settled * setting.measured_share, 4)
        << setting.name << ": nobody is paid before";
  }
}

TEST(AttackSettings, AreNamedWhereOneIsNotKnown) {
  EXPECT_EQ(attack_setting_named("main")->name, "main");
  const auto unknown = attack_setting_named("other");
  ASSERT_FALSE(unknown);
  EXPECT_NE(unknown.error().message.find("no setting 'other'; there are main, half-measured"),
            std::string::npos);
}

}  // namespace
}  // namespace muster::cli
