// muster: train one language model with people you do not trust.
#include <csignal>
#include <cstdio>

#include "base/descriptors.h"
#include "base/limits.h"
#include "cli/commands.h"

namespace {

std::atomic<bool> stop_requested{false};

void request_stop(int) { stop_requested = true; }

// Libraries throw where we return errors.
muster::Result<int> run(const muster::cli::Action& chosen) {
  try {
    MUSTER_TRY_STATUS(muster::need_descriptors(muster::limits::kDescriptorsMin));
    return chosen(stop_requested);
  } catch (const std::exception& error) {
    return muster::Error{muster::Errc::kIo, error.what()};
  }
}

}  // namespace

int main(int argc, char** argv) {
  using namespace muster::cli;
  CLI::App app{"muster: train one language model with people you do not trust"};
  app.require_subcommand(1);
  app.set_help_all_flag("--help-all", "Help of all commands");
  app.footer("Start with: muster localnet examples/quickstart.toml --run runs/quickstart\n"
             "Exit codes: 0 done, 1 failed, 2 wrong usage, 3 checks failed, 130 interrupted");
  Action chosen;
  for (auto add : {add_localnet, add_init, add_key, add_data, add_ledger, add_coordinator, add_miner,
                   add_validator, add_status, add_train, add_eval, add_generate, add_audit, add_explain, add_export, add_inspect,
                   add_tune, add_sim, add_doctor, add_rank})
    add(app, chosen);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    const int code = app.exit(error);
    return code == 0 ? 0 : kExitUsage;
  }
  struct sigaction action {};
  action.sa_handler = request_stop;
  ::sigaction(SIGINT, &action, nullptr);
  ::sigaction(SIGTERM, &action, nullptr);
  ::signal(SIGPIPE, SIG_IGN);
  muster::raise_descriptor_limit();
  const auto result = run(chosen);
  if (!result) {
    if (result.error().code == muster::Errc::kCancelled && stop_requested) return kExitInterrupted;
    std::fprintf(stderr, "muster: %s\n", result.error().message.c_str());
    return kExitFailed;
  }
  return *result;
}
