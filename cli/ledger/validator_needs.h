// What a hotkey still needs before it may validate. Thread safety: pure functions.
#pragma once

#include <string>
#include <vector>

#include "protocol/ledger_client.h"

namespace muster::cli {

// One sentence for each thing that is lacking: stake with what buys it, a permit with the blocks
// left until an epoch can give it. Empty where the ledger lets it validate.
[[nodiscard]] std::vector<std::string> validator_needs(const protocol::Metagraph& metagraph,
                                                       const protocol::Neuron& own);

}  // namespace muster::cli
