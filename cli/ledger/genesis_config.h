// A ledger's genesis from a TOML file. examples/ledger.toml has every field. Thread safety: pure
// but for the file.
#pragma once

#include <filesystem>

#include "chain/runtime/genesis.h"

namespace muster::cli {

// Errors: kNotFound, kMalformed, kInvalidArgument: file, line, field, and what it must be.
[[nodiscard]] Result<chain::runtime::Genesis> read_genesis_config(
    const std::filesystem::path& path, const std::vector<std::string>& overrides = {});

}  // namespace muster::cli
