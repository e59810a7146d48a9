#include "cli/commands.h"
#include "cli/conducts.h"
#include "cli/event_log.h"
#include "cli/machine.h"
#include "cli/node_options.h"
#include "cli/node_state.h"
#include "cli/ranks.h"
#include "miner/service.h"
#include "store/sqlite_journal.h"
#include "trainer/kernels/kernels.h"
#include "trainer/run/memory_estimate.h"

namespace muster::cli {
namespace {

struct MinerOptions : NodeOptions {
  std::string conduct = "honest";
  ComputeChoice compute;
  RankChoice ranks;
};

// Refuses, before any work, a batch that the machine has no memory for.
Status check_room(const trainer::TrainerConfig& config, unsigned ranks) {
  if (config.device != trainer::DeviceChoice::kCpu)
    return {};  // a card says itself what it has no room for
  trainer::TrainingConfig training;
  training.model = config.model;
  training.batch = (config.batch + ranks - 1) / ranks;
  const bool bf16 = config.compute.compute != trainer::Compute::kFloat32 &&
                    !trainer::available_kernels<trainer::Bf16>().empty();
  return trainer::check_memory(trainer::estimate_memory(training, config.compute.recompute, bf16),
                               available_memory() / ranks);
}

// Refuses, before any work, a run whose payloads a card does not make.
Status check_payloads(const protocol::ProtocolParams& params, trainer::TrainerConfig& config) {
  if (config.device == trainer::DeviceChoice::kCpu ||
      compression::has_levels(params.compression.values))
    return {};
  if (config.device == trainer::DeviceChoice::kAuto) {
    config.device = trainer::DeviceChoice::kCpu;
    return {};
  }
  return Error{
      Errc::kInvalidArgument,
      "this run's payloads have " + std::string(compression::name_of(params.compression.values)) +
          " values, and a card makes sign, levels2, levels4 and levels8: take --device cpu"};
}

Result<int> run_miner(const MinerOptions& options, const std::atomic<bool>& stop) {
  MUSTER_TRY(NodeBase node, open_node(options));
  MUSTER_TRY_STATUS(check_data(node.folder, node.params));
  MUSTER_TRY(auto conduct,
             make_conduct(options.conduct, {state::layout_of(node.params.model),
                                            node.params.sequences, node.params.training.batch,
                                            Prng(Hash{node.key.public_key().bytes}).next_u64()}));
  auto config = trainer_config(node.folder, node.params, trainer::Compute::kAuto);
  MUSTER_TRY_STATUS(set_compute(options.compute, config));
  MUSTER_TRY_STATUS(set_ranks(options.ranks, config));
  MUSTER_TRY_STATUS(check_payloads(node.params, config));
  MUSTER_TRY_STATUS(check_room(config, options.ranks.count()));
  const auto initial = [folder = node.folder, params = node.params] {
    return initial_theta(folder, params);
  };
  MUSTER_TRY(auto theta, initial());
  MUSTER_TRY(auto loop,
             options.ranks.count() == 1
                 ? trainer::make_inner_loop(config, theta)
                 : make_ranked_loop(options, options.compute, options.ranks, config, theta, node));
  theta = {};
  MUSTER_TRY(auto journal, store::SqliteJournal::open(node.home / kJournal));
  wire::ZmqContext context;
  const PublicKey& coordinator = node.params.coordinator;
  MUSTER_TRY(auto control,
             wire::ZmqClient::connect(context, options.control_address, coordinator, node.key));
  MUSTER_TRY(auto bulk,
             wire::ZmqClient::connect(context, options.blob_address, coordinator, node.key));
  MUSTER_TRY(auto ledger, attend_ledger(context, options, node, stop, Role::kMiner));
  miner::ServiceParts parts{node.params,
                            node.key,
                            {},
                            conduct,
                            std::move(loop),
                            node.home / kTrainerState,
                            initial,
                            std::move(ledger),
                            std::move(control),
                            std::move(bulk),
                            std::move(journal),
                            node.home,
                            node.logger,
                            write_events_to(node.home / "events.jsonl"),
                            node.failpoints};
  parts.restored = node.home / kRestoredFile;
  parts.config.restored = std::filesystem::exists(parts.restored);
  MUSTER_TRY_STATUS(miner::run_service(std::move(parts), stop));
  if (stop) return Error{Errc::kCancelled, "stopped"};
  return 0;
}

}  // namespace

void add_miner(Command app) {
  const Command command = app.add_command("miner", "Train, commit, reveal, get paid");
  auto options = std::make_shared<MinerOptions>();
  add_node_options(command, *options, "miner");
  command
      .add_option(
          "--conduct", options->conduct,
          "For experiments: honest, or a cheater's, as `muster sim attacks --list` names them")
      .show_default();
  add_compute_options(command, options->compute);
  add_rank_options(command, options->ranks);
  command.footer(
      "Examples: muster miner --run runs/mine --name miner-1\n"
      "          muster miner --run runs/mine --name miner-1 --gpus 4\n"
      "          muster miner --run runs/mine --name miner-1 --ranks 2 --threads 16");
  command.action([options](const std::atomic<bool>& stop) { return run_miner(*options, stop); });
}

}  // namespace muster::cli
