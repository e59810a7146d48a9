// The settings that attacks are measured in: what changes against the configuration, and how the
// labs are set up.
//
// Thread safety: pure functions.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace muster::cli {

struct AttackSetting {
  std::string_view name;
  std::string_view what;               // in words
  std::vector<std::string> overrides;  // of the configuration: "section.key=value"
  double measured_share = 1;           // of the miners, by a validator in a round (K/R)
  std::uint32_t settled = 30;          // rounds before the figures begin
  std::uint32_t validators = 1;
};

// "main" first.
[[nodiscard]] const std::vector<AttackSetting>& attack_settings();
// Errors: kInvalidArgument, with the names there are.
[[nodiscard]] Result<AttackSetting> attack_setting_named(std::string_view name);

}  // namespace muster::cli
