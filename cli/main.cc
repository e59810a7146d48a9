// muster: train one language model with people you do not trust.
#include "base/descriptors.h"
#include "base/limits.h"
#include "cli/commands.h"
#include "cli/stop_signals.h"

int main(int argc, char** argv) {
  using namespace muster::cli;
  CLI::App app{"muster: train one language model with people you do not trust"};
  app.require_subcommand(1);
  app.set_help_all_flag("--help-all", "Help of all commands");
  app.footer("Start with: muster localnet examples/quickstart.toml --run runs/quickstart\n"
             "Exit codes: 0 done, 1 failed, 2 wrong usage, 3 checks failed, 130 interrupted");
  Action chosen;
  for (auto add : {add_localnet, add_init, add_key, add_data, add_ledger, add_coordinator, add_miner,
                   add_validator, add_status, add_backup, add_train, add_eval, add_generate, add_audit, add_explain, add_export, add_inspect,
                   add_tune, add_sim, add_doctor, add_rank})
    add(app, chosen);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    const int code = app.exit(error);
    return code == 0 ? 0 : kExitUsage;
  }
  const std::atomic<bool>& stop = install_stop_signals();
  muster::raise_descriptor_limit();
  const Action with_descriptors = [&](const std::atomic<bool>& stopping) -> muster::Result<int> {
    MUSTER_TRY_STATUS(muster::need_descriptors(muster::limits::kDescriptorsMin));
    return chosen(stopping);
  };
  return run_action(with_descriptors, stop);
}
