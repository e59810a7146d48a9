#include "cli/commands.h"
#include "cli/event_log.h"
#include "cli/node_options.h"
#include "cli/node_state.h"
#include "cli/units.h"
#include "store/sqlite_journal.h"
#include "verify/service.h"

namespace muster::cli {
namespace {

struct ValidatorOptions : NodeOptions {
  std::uint32_t score_wait_ms = 10'000;
  bool held_out = false;
  std::string register_budget = "2";
  ComputeChoice compute;
};

Result<int> run_validator(const ValidatorOptions& options, const std::atomic<bool>& stop) {
  MUSTER_TRY(NodeBase node, open_node(options));
  MUSTER_TRY_STATUS(check_data(node.folder, node.params));
  const auto initial = [folder = node.folder, params = node.params] {
    return initial_theta(folder, params);
  };
  MUSTER_TRY(auto theta, initial());
  auto trainer = trainer_config(node.folder, node.params, trainer::Compute::kAuto);
  MUSTER_TRY_STATUS(set_compute(options.compute, trainer));
  MUSTER_TRY(auto probe, trainer::make_loss_probe(trainer, theta));
  theta = {};
  MUSTER_TRY(auto journal, store::SqliteJournal::open(node.home / kJournal));
  wire::ZmqContext context;
  const PublicKey& coordinator = node.params.coordinator;
  MUSTER_TRY(auto control,
             wire::ZmqClient::connect(context, options.control_address, coordinator, node.key));
  MUSTER_TRY(auto bulk,
             wire::ZmqClient::connect(context, options.blob_address, coordinator, node.key));
  MUSTER_TRY(const std::uint64_t budget, parse_rao(options.register_budget));
  MUSTER_TRY(auto ledger, attend_ledger(context, options, node, stop, Role::kValidator, budget));
  verify::Config config;
  config.score_wait_ms = options.score_wait_ms;
  verify::ServiceParts parts{node.params,
                             node.key,
                             config,
                             std::move(probe),
                             node.home / kValidatorState,
                             initial,
                             std::move(control),
                             std::move(bulk),
                             std::move(journal),
                             std::move(ledger),
                             node.logger,
                             write_events_to(node.home / "events.jsonl"),
                             node.failpoints,
                             options.held_out};
  parts.restored = node.home / kRestoredFile;
  parts.config.restored = std::filesystem::exists(parts.restored);
  MUSTER_TRY_STATUS(verify::run_service(std::move(parts), stop));
  if (stop) return Error{Errc::kCancelled, "stopped"};
  return 0;
}

}  // namespace

void add_validator(Command app) {
  const Command command = app.add_command("validator", "Screen, score, rate, set weights");
  auto options = std::make_shared<ValidatorOptions>();
  add_node_options(command, *options, "validator");
  command
      .add_option("--score-wait-ms", options->score_wait_ms,
                  "How long a screen may wait for unfinished scores")
      .show_default();
  command.add_flag("--held-out", options->held_out, "Measure the held-out loss after every round");
  command
      .add_option("--register-budget", options->register_budget,
                  "TAO that this node may spend, over all its starts, on buying back a uid that "
                  "another registration "
                  "took; 0: none")
      .show_default();
  add_compute_options(command, options->compute);
  command.footer("Example: muster validator --run runs/mine --name validator-1");
  command.action(
      [options](const std::atomic<bool>& stop) { return run_validator(*options, stop); });
}

}  // namespace muster::cli
