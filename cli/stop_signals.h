// Signals and exceptions that end the program.
//
// Thread safety: call from main, before threads start.
#pragma once

#include <atomic>

#include "cli/commands.h"

namespace muster::cli {

// SIGINT and SIGTERM set the flag that is returned, for what runs to end in order; a second one of
// either ends the process at once with kExitInterrupted, for a step that takes long. SIGPIPE is
// ignored. An exception that no thread catches ends the process with a message and kExitFailed
// instead of aborting it.
[[nodiscard]] const std::atomic<bool>& install_stop_signals();

// Runs `action` and says on standard error what went wrong, in one line whatever is in it; the exit
// code. Exceptions (no memory, the file system, a library) are errors of the machine or of a file:
// kExitFailed too.
[[nodiscard]] int run_action(const Action& action, const std::atomic<bool>& stop);

}  // namespace muster::cli
