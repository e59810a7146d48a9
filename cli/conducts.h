// The conducts that a miner process can have: honest, or one of the cheaters that need nothing but
// their own node.
//
// Thread safety: pure functions.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "sim/attacks/adversary.h"

namespace muster::cli {

[[nodiscard]] std::vector<std::string> cheater_names();

// Errors: kInvalidArgument, naming those there are.
[[nodiscard]] Result<std::shared_ptr<miner::Conduct>> make_conduct(
    const std::string& name, const sim::AdversaryContext& context);

}  // namespace muster::cli
