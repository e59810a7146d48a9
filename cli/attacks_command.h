// muster sim attacks: whether an attack pays, on a small language model. Thread safety: none.
#pragma once

#include "cli/commands.h"

namespace muster::cli {

void add_sim_attacks(Command sim);

}  // namespace muster::cli
