// muster sim attacks: what a scenario's people make of a ledger's rules. Thread safety: none.
#pragma once

#include "cli/commands.h"

namespace muster::cli {

void add_sim_attacks(CLI::App& sim, Action& chosen);

}  // namespace muster::cli
