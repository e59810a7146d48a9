// A scenario from a TOML file; examples/economy.toml has every field. Thread safety: pure but for
// the file.
#pragma once

#include <filesystem>

#include "sim/economy/scenario.h"

namespace muster::cli {

// Errors: kNotFound, kMalformed, kInvalidArgument: file, line, field, and what it must be.
[[nodiscard]] Result<sim::Scenario> read_scenario(const std::filesystem::path& path,
                                                  const std::vector<std::string>& overrides);

}  // namespace muster::cli
