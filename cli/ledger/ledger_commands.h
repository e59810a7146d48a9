// The subcommands of `muster ledger`; each adds itself to the parser. Thread safety: none.
#pragma once

#include "cli/commands.h"

namespace muster::cli {

// One call each, signed and waited for.
void add_transfer(CLI::App& ledger, Action& chosen);
void add_subnet(CLI::App& ledger, Action& chosen);
void add_stake(CLI::App& ledger, Action& chosen);
void add_delegate(CLI::App& ledger, Action& chosen);
void add_weights(CLI::App& ledger, Action& chosen);

// A uid, and the role that a training network's node has.
void add_register(CLI::App& ledger, Action& chosen);

// What a ledger says: status, block, subnets, metagraph, wallet, halving.
void add_ledger_views(CLI::App& ledger, Action& chosen);

// The daemon, and what checks its blocks.
void add_ledger_serve(CLI::App& ledger, Action& chosen);
void add_ledger_replay(CLI::App& ledger, Action& chosen);

}  // namespace muster::cli
