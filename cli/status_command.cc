// status: how far a run is, by what its nodes say on this machine and by the ledger.
#include <algorithm>
#include <cstdio>
#include <optional>

#include "base/key.h"
#include "chain/service/neuron_watch.h"
#include "cli/commands.h"
#include "cli/event_log.h"
#include "cli/json_text.h"
#include "cli/node_options.h"

namespace muster::cli {
namespace {

using nlohmann::ordered_json;

// One node of this machine, from its events.
struct NodeView {
  std::string name;
  std::int64_t rounds = 0;  // done
  std::string theta_root;   // after them
  std::string last_event;
  std::optional<double> held_out;
};

NodeView view_of(const std::filesystem::path& node) {
  NodeView view;
  view.name = node.filename().string();
  EventFollower events(node / "events.jsonl");
  for (const auto& event : events.read_new()) {
    view.last_event = event.value("event", "");
    if (event.contains("theta_root")) {
      view.rounds = event.value("round", std::int64_t{-1}) + 1;
      view.theta_root = event.value("theta_root", "");
    }
    if (view.last_event == "held_out") view.held_out = event.value("loss", 0.0);
  }
  return view;
}

std::vector<NodeView> local_nodes(const RunFolder& folder) {
  std::vector<NodeView> views;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(folder.root / "nodes", error))
    if (std::filesystem::exists(entry.path() / "events.jsonl")) views.push_back(view_of(entry));
  std::sort(views.begin(), views.end(),
            [](const auto& a, const auto& b) { return a.name < b.name; });
  return views;
}

// "miner-1" for a hotkey whose key is in the run's folder, else its beginning.
std::string node_name_of(const RunFolder& folder, const PublicKey& hotkey) {
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(folder.root / "keys", error))
    if (const auto key = read_key_file(entry.path()); key && key->public_key() == hotkey)
      return entry.path().filename().string();
  return hotkey.brief();
}

ordered_json status_of(const protocol::ProtocolParams& params, const std::vector<NodeView>& nodes) {
  ordered_json status{{"name", params.name},
                      {"run_id", protocol::run_id_of(params).hex()},
                      {"parameters", state::layout_of(params.model).parameters()},
                      {"rounds", params.rounds},
                      {"nodes", ordered_json::array()}};
  for (const NodeView& node : nodes) {
    ordered_json entry{{"name", node.name},
                       {"rounds", node.rounds},
                       {"theta_root", node.theta_root},
                       {"last_event", node.last_event}};
    if (node.held_out) entry["held_out_loss"] = *node.held_out;
    status["nodes"].push_back(std::move(entry));
  }
  return status;
}

ordered_json ledger_of(const RunFolder& folder, const protocol::Metagraph& metagraph) {
  ordered_json ledger{{"block", metagraph.block}, {"neurons", ordered_json::array()}};
  for (const auto& n : metagraph.neurons)
    ledger["neurons"].push_back({{"uid", n.uid.value},
                                 {"name", node_name_of(folder, n.hotkey)},
                                 {"hotkey", n.hotkey.hex()},
                                 {"stake_rao", n.stake},
                                 {"permit", n.permit},
                                 {"incentive", n.incentive},
                                 {"earned_rao", n.earned}});
  if (const auto warning = chain::permit_warning(metagraph)) ledger["warning"] = *warning;
  return ledger;
}

void print_nodes(const ordered_json& status, const std::vector<NodeView>& nodes) {
  std::printf("%s: run %s, %llu parameters, %u rounds\n", status["name"].get<std::string>().c_str(),
              status["run_id"].get<std::string>().substr(0, 8).c_str(),
              static_cast<unsigned long long>(status["parameters"].get<std::uint64_t>()),
              status["rounds"].get<std::uint32_t>());
  std::printf("\n%-14s %6s  %-16s  %9s  %s\n", "node", "round", "state root", "held-out",
              "last event");
  for (const NodeView& node : nodes) {
    char loss[32] = "-";
    if (node.held_out) std::snprintf(loss, sizeof(loss), "%.4f", *node.held_out);
    std::printf("%-14s %6lld  %-16s  %9s  %s\n", node.name.c_str(),
                static_cast<long long>(node.rounds),
                node.theta_root.empty() ? "-" : node.theta_root.substr(0, 16).c_str(), loss,
                node.last_event.c_str());
  }
}

void print_ledger(const ordered_json& ledger) {
  std::printf("\nledger at block %llu\n%4s  %-14s %12s %6s %10s %14s\n",
              static_cast<unsigned long long>(ledger["block"].get<std::uint64_t>()), "uid",
              "hotkey", "stake", "permit", "incentive", "alpha earned");
  for (const auto& n : ledger["neurons"])
    std::printf("%4u  %-14s %12.3f %6s %10u %14.3f\n", n["uid"].get<unsigned>(),
                n["name"].get<std::string>().c_str(),
                static_cast<double>(n["stake_rao"].get<std::uint64_t>()) / 1e9,
                n["permit"].get<bool>() ? "yes" : "-", n["incentive"].get<unsigned>(),
                static_cast<double>(n["earned_rao"].get<std::uint64_t>()) / 1e9);
  if (ledger.contains("warning"))
    std::printf("warning: %s\n", ledger["warning"].get<std::string>().c_str());
}

struct StatusOptions : NodeOptions {
  bool json = false;
};

Result<protocol::Metagraph> ask_ledger(const StatusOptions& options,
                                       const std::atomic<bool>& stop) {
  MUSTER_TRY(const NodeBase node, read_node(options));
  wire::ZmqContext context;
  MUSTER_TRY(auto ledger, connect_ledger(context, options, node, stop));
  return ledger->metagraph();
}

}  // namespace

void add_status(Command app) {
  const Command command =
      app.add_command("status", "How far a run is: its nodes here, and the ledger's view");
  auto options = std::make_shared<StatusOptions>();
  add_node_options(command, *options, "coordinator");
  command.add_flag("--json", options->json, "Machine-readable output");
  command.footer(
      "Example: muster status --run runs/quickstart\n"
      "Asks the ledger with the key that --name gives; without an answer it shows the rest.");
  command.action([options](const std::atomic<bool>& stop) -> Result<int> {
    const RunFolder folder{options->run};
    MUSTER_TRY(const auto params, read_params(folder));
    const auto nodes = local_nodes(folder);
    ordered_json status = status_of(params, nodes);
    if (!options->json) print_nodes(status, nodes);
    const auto metagraph = ask_ledger(*options, stop);
    if (metagraph) {
      status["ledger"] = ledger_of(folder, *metagraph);
      if (!options->json) print_ledger(status["ledger"]);
    } else {
      status["ledger"] = nullptr;
      status["ledger_error"] = metagraph.error().message;
      if (!options->json) std::printf("\n%s\n", metagraph.error().message.c_str());
    }
    if (options->json) std::printf("%s\n", json_text(status, 2).c_str());
    return 0;
  });
}

}  // namespace muster::cli
