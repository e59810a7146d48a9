#include "cli/commands.h"
#include "cli/event_log.h"
#include "cli/node_options.h"
#include "coordinator/service.h"
#include "store/archiving_journal.h"
#include "store/file_blob_store.h"
#include "store/sqlite_journal.h"

namespace muster::cli {
namespace {

struct CoordinatorOptions : NodeOptions {
  coordinator::Config config;
};

Result<int> run_coordinator(const CoordinatorOptions& options, const std::atomic<bool>& stop) {
  MUSTER_TRY(NodeBase node, open_node(options));
  MUSTER_TRY(auto blobs, store::FileBlobStore::open(node.folder.blobs()));
  MUSTER_TRY(auto payloads, store::FileBlobStore::open(node.folder.payloads()));
  MUSTER_TRY(auto records, store::SqliteJournal::open(node.home / "journal.sqlite"));
  MUSTER_TRY(auto archive, store::Archive::open(node.folder.archive()));
  MUSTER_TRY(auto journal,
             store::ArchivingJournal::open(std::move(records), std::move(archive)));
  wire::ZmqContext context;
  auto admission = std::make_shared<wire::HotkeyAdmission>();
  MUSTER_TRY(auto control,
             wire::ZmqServer::listen(context, options.control_address, node.key, admission));
  wire::ZmqServer* const server = control.get();  // lives in the service's parts
  wire::ZmqOptions for_blobs;
  for_blobs.per_peer.bytes = {limits::kBlobPeerBytesPerSecond, limits::kBlobPeerBytesBurst};
  MUSTER_TRY(auto bulk, wire::ZmqServer::listen(context, options.blob_address, node.key, admission, for_blobs));
  MUSTER_TRY(auto ledger, attend_ledger(context, options, node, stop, Role::kCoordinator));
  coordinator::ServiceParts parts{
      node.params,
      node.key,
      options.config,
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
  MUSTER_TRY_STATUS(coordinator::run_service(std::move(parts), stop));
  if (stop) return Error{Errc::kCancelled, "stopped"};
  return 0;
}

}  // namespace

void add_coordinator(CLI::App& app, Action& chosen) {
  auto* command = app.add_subcommand("coordinator", "Open rounds, aggregate, seal");
  auto options = std::make_shared<CoordinatorOptions>();
  add_node_options(*command, *options, "coordinator");
  command->add_option("--start-miners", options->config.start_miners,
                      "Miners to wait for before round 0")
      ->capture_default_str();
  command
      ->add_option("--start-validators", options->config.start_validators,
                   "Validators to wait for before round 0")
      ->capture_default_str();
  command
      ->add_option("--checkpoint-every", options->config.checkpoint_every,
                   "Rounds between checkpoints, from which it recovers and others join; 0: none")
      ->capture_default_str();
  command
      ->add_option("--offer-after", options->config.offer_after,
                   "Rounds that a node must be behind a checkpoint to be offered it")
      ->capture_default_str();
  command->footer("Example: muster coordinator --run runs/mine --start-miners 4");
  command->callback([options, &chosen] {
    chosen = [options](const std::atomic<bool>& stop) { return run_coordinator(*options, stop); };
  });
}

}  // namespace muster::cli
