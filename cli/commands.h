// The commands of `muster`: each adds itself to the parser; main() runs what was chosen.
//
// Exit codes: 0 done, 1 failed (the message says why and the mend), 2 wrong usage, 3 the run did not meet
// its checks (localnet, audit), 130 stopped by Ctrl-C.
#pragma once

#include <CLI/CLI.hpp>
#include <atomic>
#include <functional>

#include "base/result.h"

namespace muster::cli {

inline constexpr int kExitFailed = 1;
inline constexpr int kExitUsage = 2;
inline constexpr int kExitChecksFailed = 3;
inline constexpr int kExitInterrupted = 130;

// What main() runs after parsing; returns the exit code.
using Action = std::function<Result<int>(const std::atomic<bool>& stop)>;

void add_localnet(CLI::App& app, Action& chosen);
void add_init(CLI::App& app, Action& chosen);
void add_key(CLI::App& app, Action& chosen);
void add_ledger(CLI::App& app, Action& chosen);
void add_coordinator(CLI::App& app, Action& chosen);
void add_miner(CLI::App& app, Action& chosen);
void add_rank(CLI::App& app, Action& chosen);
void add_validator(CLI::App& app, Action& chosen);
void add_backup(CLI::App& app, Action& chosen);
void add_status(CLI::App& app, Action& chosen);
void add_train(CLI::App& app, Action& chosen);
void add_eval(CLI::App& app, Action& chosen);
void add_generate(CLI::App& app, Action& chosen);
void add_audit(CLI::App& app, Action& chosen);
void add_explain(CLI::App& app, Action& chosen);
void add_export(CLI::App& app, Action& chosen);
void add_data(CLI::App& app, Action& chosen);
void add_inspect(CLI::App& app, Action& chosen);
void add_tune(CLI::App& app, Action& chosen);
void add_doctor(CLI::App& app, Action& chosen);
void add_sim(CLI::App& app, Action& chosen);

}  // namespace muster::cli
