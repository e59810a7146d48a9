// The subcommands of `muster ledger`; each adds itself to the parser. Thread safety: none.
#pragma once

#include "cli/commands.h"

namespace muster::cli {

// One call each, signed and waited for.
void add_transfer(Command ledger);
void add_subnet(Command ledger);
void add_stake(Command ledger);
void add_delegate(Command ledger);
void add_weights(Command ledger);

// A uid, and the role that a training network's node has.
void add_register(Command ledger);

// What a ledger says: status, block, subnets, metagraph, wallet, halving.
void add_ledger_views(Command ledger);

// The daemon, and what checks its blocks.
void add_ledger_serve(Command ledger);
void add_ledger_replay(Command ledger);

}  // namespace muster::cli
