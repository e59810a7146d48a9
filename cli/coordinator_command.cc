#include "cli/commands.h"
#include "cli/event_log.h"
#include "cli/node_options.h"
#include "cli/node_state.h"
#include "cli/rebuild.h"
#include "coordinator/service.h"
#include "store/archiving_journal.h"
#include "store/file_blob_store.h"
#include "store/sqlite_journal.h"

namespace muster::cli {
namespace {

struct CoordinatorOptions : NodeOptions {
  coordinator::Config config;
  std::string rebuild_from;
};

Result<int> run_coordinator(const CoordinatorOptions& options, const std::atomic<bool>& stop) {
  MUSTER_TRY(NodeBase node, open_node(options));
  coordinator::Config config = options.config;
  if (!options.rebuild_from.empty()) {
    MUSTER_TRY(const auto rebuilt, rebuild_coordinator(node.folder, node.home, node.params,
                                                       node.key, options.rebuild_from));
    node.logger.info("rebuilt from " + rebuilt.source + ": " + std::to_string(rebuilt.records) +
                     " records, " + std::to_string(rebuilt.blobs) + " blobs copied" +
                     (rebuilt.first_round > Round{0}
                          ? "; they begin with round " + std::to_string(rebuilt.first_round.value)
                          : std::string()));
  }
  config.restored = std::filesystem::exists(node.home / kRestoredFile);
  MUSTER_TRY(auto blobs, store::FileBlobStore::open(node.folder.blobs()));
  MUSTER_TRY(auto payloads, store::FileBlobStore::open(node.folder.payloads()));
  MUSTER_TRY(auto records, store::SqliteJournal::open(node.home / kJournal));
  MUSTER_TRY(auto archive, store::Archive::open(node.folder.archive()));
  auto both = store::ArchivingJournal::open(std::move(records), std::move(archive));
  if (!both && both.error().code == Errc::kConflict)
    return Error{Errc::kConflict, both.error().message + "; was " + node.home.string() +
                                      " lost or replaced by an older "
                                      "copy? Move it away, and start with --rebuild-from " +
                                      node.folder.root.string()};
  MUSTER_TRY(auto journal, std::move(both));
  wire::ZmqContext context;
  auto admission = std::make_shared<wire::HotkeyAdmission>();
  MUSTER_TRY(auto control,
             wire::ZmqServer::listen(context, options.control_address, node.key, admission));
  wire::ZmqServer* const server = control.get();  // lives in the service's parts
  wire::ZmqOptions for_blobs;
  for_blobs.per_peer.bytes = {limits::kBlobPeerBytesPerSecond, limits::kBlobPeerBytesBurst};
  MUSTER_TRY(auto bulk, wire::ZmqServer::listen(context, options.blob_address, node.key, admission,
                                                for_blobs));
  MUSTER_TRY(auto ledger, attend_ledger(context, options, node, stop, Role::kCoordinator));
  coordinator::ServiceParts parts{
      node.params,
      node.key,
      config,
      [folder = node.folder, params = node.params] { return initial_theta(folder, params); },
      node.home,
      std::move(control),
      std::move(bulk),
      std::move(journal),
      *blobs,
      *payloads,
      std::move(ledger),
      [admission](const std::set<PublicKey>& hotkeys) { admission->set(hotkeys); },
      node.logger,
      write_events_to(node.home / "events.jsonl"),
      node.failpoints};
  parts.shared_keys = [server] { return server->take_shared_keys(); };
  parts.restored = node.home / kRestoredFile;
  MUSTER_TRY_STATUS(coordinator::run_service(std::move(parts), stop));
  if (stop) return Error{Errc::kCancelled, "stopped"};
  return 0;
}

}  // namespace

void add_coordinator(Command app) {
  const Command command = app.add_command("coordinator", "Open rounds, aggregate, seal");
  auto options = std::make_shared<CoordinatorOptions>();
  add_node_options(command, *options, "coordinator");
  command
      .add_option("--start-miners", options->config.start_miners,
                  "Miners to wait for before round 0")
      .show_default();
  command
      .add_option("--start-validators", options->config.start_validators,
                  "Validators to wait for before round 0")
      .show_default();
  command
      .add_option("--checkpoint-every", options->config.checkpoint_every,
                  "Rounds between checkpoints, from which it recovers and others join; 0: none")
      .show_default();
  command
      .add_option("--offer-after", options->config.offer_after,
                  "Rounds that a node must be behind a checkpoint to be offered it")
      .show_default();
  command.add_option(
      "--rebuild-from", options->rebuild_from,
      "Make the lost folder of this coordinator again, and go on: from a run's folder that has "
      "archive.muster, a file of `muster audit export`, or the folder of a validator that is "
      "stopped");
  command.footer(
      "Examples: muster coordinator --run runs/mine --start-miners 4\n"
      "          muster coordinator --run runs/mine --rebuild-from runs/mine\n"
      "          muster coordinator --run runs/mine --rebuild-from copies/nodes/validator-1");
  command.action(
      [options](const std::atomic<bool>& stop) { return run_coordinator(*options, stop); });
}

}  // namespace muster::cli
