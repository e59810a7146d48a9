// What every node command takes: its run, name and addresses. Thread safety: values.
#pragma once

#include <atomic>
#include <string>

#include "base/failpoint.h"
#include "base/lock_file.h"
#include "base/log.h"
#include "chain/service/remote_ledger.h"
#include "cli/options.h"
#include "cli/run_folder.h"
#include "wire/zmq_transport.h"

namespace muster::cli {

struct NodeOptions {
  std::string run = "runs/quickstart";
  std::string name;
  std::string ledger_address = "tcp://127.0.0.1:27600";
  std::string control_address = "tcp://127.0.0.1:27601";
  std::string blob_address = "tcp://127.0.0.1:27602";
  std::string ledger_key;  // hex; default: the run folder's
  std::string log_level = "info";
  std::string failpoint;  // crash tests
};

// Adds the options that `command` shares with the other nodes.
void add_node_options(Command command, NodeOptions& options, const std::string& default_name);

// How a node computes: its own business, no part of the run.
struct ComputeChoice {
  std::string device = "cpu", compute = "auto", matmul = "auto";
  unsigned threads = 1;
  bool recompute = false;
};
// --device, as `train` and the nodes take it.
void add_device_option(Command command, std::string& device);
void add_compute_options(Command command, ComputeChoice& choice);
// Errors: kInvalidArgument, which names that the options let pass never give.
[[nodiscard]] Status set_compute(const ComputeChoice& choice, trainer::TrainerConfig& config);

// What a node has before it does its own work.
struct NodeBase {
  RunFolder folder;
  std::filesystem::path home;
  protocol::ProtocolParams params;
  SigningKey key;
  PublicKey ledger_key;
  Logger logger;
  Failpoints failpoints;
  std::optional<LockFile> lock;  // of `home`
};
// Opens folder, key, parameters and log, and locks the node's folder before anything in it is
// touched. Errors name what is missing, or which process is in the folder.
[[nodiscard]] Result<NodeBase> open_node(const NodeOptions& options);
// The same for who only asks with the node's key: nothing is locked or written, and nothing logged.
[[nodiscard]] Result<NodeBase> read_node(const NodeOptions& options);

// `stop` ends its waits.
[[nodiscard]] Result<std::unique_ptr<chain::RemoteLedger>> connect_ledger(
    wire::ZmqContext& context, const NodeOptions& options, const NodeBase& node,
    const std::atomic<bool>& stop);
// The same for a node in `role`, which looks after its own uid and says what is wrong with it.
// `budget_rao`: for buying back a uid that was lost.
[[nodiscard]] Result<std::unique_ptr<protocol::LedgerClient>> attend_ledger(
    wire::ZmqContext& context, const NodeOptions& options, const NodeBase& node,
    const std::atomic<bool>& stop, Role role, std::uint64_t budget_rao = 0);

}  // namespace muster::cli
