// muster: train one language model with people you do not trust.
#include "base/descriptors.h"
#include "base/limits.h"
#include "cli/commands.h"
#include "cli/stop_signals.h"

int main(int argc, char** argv) {
  using namespace muster::cli;
  CommandLine line("muster: train one language model with people you do not trust",
                   "Start with: muster localnet examples/quickstart.toml --run runs/quickstart\n"
                   "Exit codes: 0 done, 1 failed, 2 wrong usage, 3 checks failed, 130 interrupted");
  for (auto add :
       {add_localnet,  add_init,   add_key,     add_data,  add_ledger, add_coordinator, add_miner,
        add_validator, add_status, add_backup,  add_train, add_eval,   add_generate,    add_audit,
        add_explain,   add_export, add_inspect, add_tune,  add_sim,    add_doctor,      add_rank})
    add(line.root());
  const auto parsed = line.parse(argc, argv, kExitUsage);
  if (const int* code = std::get_if<int>(&parsed)) return *code;
  const std::atomic<bool>& stop = install_stop_signals();
  muster::raise_descriptor_limit();
  const Action with_descriptors = [&](const std::atomic<bool>& stopping) -> muster::Result<int> {
    MUSTER_TRY_STATUS(muster::need_descriptors(muster::limits::kDescriptorsMin));
    return std::get<Action>(parsed)(stopping);
  };
  return run_action(with_descriptors, stop);
}
