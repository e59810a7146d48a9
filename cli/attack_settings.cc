#include "cli/attack_settings.h"

#include <algorithm>

namespace muster::cli {

const std::vector<AttackSetting>& attack_settings() {
  static const std::vector<AttackSetting> all{
      {"main", "the configuration as it is, all miners measured in each round", {}, 1, 30, 2},
      {"half-measured",
       "a validator measures half of the miners in a round (K/R = 1/2)",
       {"run.rounds=80"},
       0.5,
       50},
      {"tenth-measured", "a tenth (K/R = 1/10)", {"run.rounds=260"}, 0.1, 180},
      {"fortieth-measured", "a fortieth (K/R = 1/40)", {"run.rounds=1000"}, 0.025, 700},
      {"long-rounds",
       "three times as many inner steps (H = 30)",
       {"train.inner_steps=30", "run.rounds=40"},
       1,
       24},
      {"long-context",
       "sequences of twice the length",
       {"model.context=128", "run.rounds=36"},
       1,
       22},
      {"small-model",
       "one layer of width 48",
       {"model.d_model=48", "model.layers=1", "model.d_ff=144"}},
      {"large-model",
       "three layers of width 96",
       {"model.d_model=96", "model.layers=3", "model.d_ff=288"}},
  };
  return all;
}

Result<AttackSetting> attack_setting_named(std::string_view name) {
  const auto found = std::ranges::find(attack_settings(), name, &AttackSetting::name);
  if (found != attack_settings().end()) return *found;
  std::string names;
  for (const AttackSetting& setting : attack_settings())
    names += (names.empty() ? "" : ", ") + std::string(setting.name);
  return Error{Errc::kInvalidArgument,
               "no setting '" + std::string(name) + "'; there are " + names};
}

}  // namespace muster::cli
