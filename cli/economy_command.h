// muster sim economy: what a scenario's people make of a ledger's rules. Thread safety: none.
#pragma once

#include "cli/commands.h"

namespace muster::cli {

void add_sim_economy(Command sim);

}  // namespace muster::cli
