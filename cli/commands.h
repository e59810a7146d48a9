// The commands of `muster`: each adds itself to the parser; main() runs what was chosen.
//
// Exit codes: 0 done, 1 failed (the message says why and the mend), 2 wrong usage, 3 the run did
// not meet its checks (localnet, audit), 130 stopped by Ctrl-C.
#pragma once

#include "cli/options.h"

namespace muster::cli {

inline constexpr int kExitFailed = 1;
inline constexpr int kExitUsage = 2;
inline constexpr int kExitChecksFailed = 3;
inline constexpr int kExitInterrupted = 130;

void add_localnet(Command app);
void add_init(Command app);
void add_key(Command app);
void add_ledger(Command app);
void add_coordinator(Command app);
void add_miner(Command app);
void add_rank(Command app);
void add_validator(Command app);
void add_backup(Command app);
void add_status(Command app);
void add_train(Command app);
void add_eval(Command app);
void add_generate(Command app);
void add_audit(Command app);
void add_explain(Command app);
void add_export(Command app);
void add_data(Command app);
void add_inspect(Command app);
void add_tune(Command app);
void add_doctor(Command app);
void add_sim(Command app);

}  // namespace muster::cli
