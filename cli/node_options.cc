#include "cli/node_options.h"

#include <unistd.h>

#include <algorithm>

#include "base/key.h"
#include "cli/ledger/attended_ledger.h"
#include "cli/shared_sections.h"

namespace muster::cli {

void add_node_options(Command command, NodeOptions& options, const std::string& default_name) {
  options.name = default_name;
  command.add_option("--run", options.run, "Folder of the run").show_default();
  command.add_option("--name", options.name, "This node's name: of its key and its folder")
      .show_default();
  command.add_option("--ledger", options.ledger_address, "Address of the ledger").show_default();
  command.add_option("--ledger-key", options.ledger_key,
                     "The ledger's hotkey in hex; default: keys/ledger of the run");
  command.add_option("--control", options.control_address, "Address of the coordinator")
      .show_default();
  command.add_option("--blobs", options.blob_address, "Address of the coordinator's blobs")
      .show_default();
  command.add_option("--log-level", options.log_level, "debug, info, warning or error")
      .one_of({"debug", "info", "warning", "error"})
      .show_default();
  command.add_option("--failpoint", options.failpoint,
                     "For crash tests: die as by kill -9 at NAME or at its N-th pass, NAME@N");
}

namespace {

constexpr int kLedgerAnswerMs = 10'000;

LogLevel level_of(const std::string& name) {
  if (name == "debug") return LogLevel::kDebug;
  if (name == "warning") return LogLevel::kWarning;
  if (name == "error") return LogLevel::kError;
  return LogLevel::kInfo;
}

Result<PublicKey> read_ledger_key(const NodeOptions& options, const RunFolder& folder) {
  if (options.ledger_key.empty()) {
    MUSTER_TRY(const SigningKey key, read_key_file(folder.key_file("ledger")));
    return key.public_key();
  }
  MUSTER_TRY(const Hash raw, hash_from_hex(options.ledger_key));
  return PublicKey{raw.bytes};
}

}  // namespace

void add_device_option(Command command, std::string& device) {
  command
      .add_option("--device", device,
                  "cpu, cuda for the first graphics card, or auto: a card where there is one")
      .one_of({"cpu", "cuda", "auto"})
      .show_default();
}

void add_compute_options(Command command, ComputeChoice& choice) {
  add_device_option(command, choice.device);
  command
      .add_option("--compute", choice.compute,
                  "auto (bf16 where the CPU multiplies it natively), bf16 or fp32")
      .one_of({"auto", "bf16", "fp32"})
      .show_default();
  command
      .add_option("--matmul", choice.matmul,
                  "Whose matrix products: auto, own, or torch for LibTorch's")
      .one_of({"auto", "own", "torch"})
      .show_default();
  command
      .add_option("--threads", choice.threads,
                  "Of the model's computation; results do not depend on it")
      .in_range(1u, 1024u)
      .show_default();
  command.add_flag("--recompute", choice.recompute,
                   "Take less memory and more time: compute activations again");
}

Status set_compute(const ComputeChoice& choice, trainer::TrainerConfig& config) {
  MUSTER_TRY(config.compute.compute, compute_named(choice.compute));
  MUSTER_TRY(config.compute.matmul, matmul_named(choice.matmul));
  MUSTER_TRY(config.device, device_named(choice.device));
  config.compute.recompute = choice.recompute;
  config.threads = choice.threads;
  return {};
}

Result<NodeBase> read_node(const NodeOptions& options) {
  const RunFolder folder{options.run};
  MUSTER_TRY(auto params, read_params(folder));
  MUSTER_TRY(const SigningKey key, read_key_file(folder.key_file(options.name)));
  MUSTER_TRY(const PublicKey ledger_key, read_ledger_key(options, folder));
  return NodeBase{folder,   folder.node(options.name),     std::move(params), key, ledger_key,
                  Logger(), Failpoints(options.failpoint), std::nullopt};
}

Result<NodeBase> open_node(const NodeOptions& options) {
  MUSTER_TRY(NodeBase node, read_node(options));
  std::error_code error;
  std::filesystem::create_directories(node.home, error);
  if (error) return Error{Errc::kIo, node.home.string() + ": " + error.message()};
  MUSTER_TRY(node.lock, LockFile::take(node.home / kLockFile,
                                       options.name + ", process " + std::to_string(::getpid())));
  MUSTER_TRY(node.logger,
             Logger::open(options.name, node.home / "node.log", level_of(options.log_level)));
  return node;
}

Result<std::unique_ptr<chain::RemoteLedger>> connect_ledger(wire::ZmqContext& context,
                                                            const NodeOptions& options,
                                                            const NodeBase& node,
                                                            const std::atomic<bool>& stop) {
  MUSTER_TRY(auto transport,
             wire::ZmqClient::connect(context, options.ledger_address, node.ledger_key, node.key));
  return std::make_unique<chain::RemoteLedger>(std::move(transport), node.ledger_key, node.key,
                                               node.params.netuid, kLedgerAnswerMs, &stop);
}

Result<std::unique_ptr<protocol::LedgerClient>> attend_ledger(wire::ZmqContext& context,
                                                              const NodeOptions& options,
                                                              const NodeBase& node,
                                                              const std::atomic<bool>& stop,
                                                              Role role, std::uint64_t budget_rao) {
  MUSTER_TRY(auto remote, connect_ledger(context, options, node, stop));
  MUSTER_TRY(const auto genesis, read_genesis(node.folder));
  MUSTER_TRY(auto ledger,
             chain::FollowedLedger::open(
                 std::move(remote), genesis, node.home / "ledger.followed",
                 [logger = node.logger](const std::string& text) { logger.info(text); }));
  Attendance attendance{node.key.public_key(), role, budget_rao, node.home / "registrations.spent",
                        node.logger};
  return std::unique_ptr<protocol::LedgerClient>(
      std::make_unique<AttendedLedger>(std::move(ledger), std::move(attendance)));
}

}  // namespace muster::cli
