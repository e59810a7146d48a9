#include <thread>

#include "base/clock.h"
#include "cli/commands.h"
#include "cli/event_log.h"
#include "cli/node_options.h"

namespace muster::cli {
namespace {

// Produces blocks at their interval and answers in between. Runs until `stop`.
Status serve(chain::LedgerService& service, wire::Transport& transport, Failpoints& failpoints,
             const std::atomic<bool>& stop) {
  const SteadyClock clock;
  const TimeMs interval = service.ledger().genesis().block_ms;
  TimeMs next_block = clock.now_ms() + interval;
  while (!stop) {
    const TimeMs left = next_block - clock.now_ms();
    if (left <= 0) {
      failpoints.pass("ledger.block.before");
      MUSTER_TRY_STATUS(service.produce_block());
      failpoints.pass("ledger.block.after");
      // After a pause (a suspended machine) blocks go on from now instead of all at once.
      next_block = std::max(next_block + interval, clock.now_ms());
      continue;
    }
    MUSTER_TRY(auto incoming, transport.receive(static_cast<int>(std::min<TimeMs>(left, 500))));
    if (incoming) (void)transport.send(incoming->from, service.handle(incoming->message));
  }
  return {};
}

Result<int> run_ledger(const NodeOptions& options, const std::atomic<bool>& stop) {
  const RunFolder folder{options.run};
  MUSTER_TRY(const auto genesis, read_genesis(folder));
  MUSTER_TRY(NodeBase node, open_node(options));
  MUSTER_TRY(auto service, chain::LedgerService::open(genesis, node.home / "ledger.sqlite"));
  wire::ZmqContext context;
  MUSTER_TRY(auto server,
             wire::ZmqServer::listen(context, options.ledger_address, node.key,
                                     std::make_shared<wire::OpenAdmission>()));
  node.logger.info("serving at " + server->address() + ", block " +
                   std::to_string(service->ledger().block_number()));
  MUSTER_TRY_STATUS(serve(*service, *server, node.failpoints, stop));
  return 0;
}

}  // namespace

void add_ledger(CLI::App& app, Action& chosen) {
  auto* command = app.add_subcommand("ledger", "The ledger: blocks, stake, weights, pay");
  command->require_subcommand(1);
  auto* serve_command = command->add_subcommand("serve", "Produce blocks and answer requests");
  auto options = std::make_shared<NodeOptions>();
  add_node_options(*serve_command, *options, "ledger");
  serve_command->footer("Example: muster ledger serve --run runs/quickstart");
  serve_command->callback([options, &chosen] {
    chosen = [options](const std::atomic<bool>& stop) { return run_ledger(*options, stop); };
  });
}

}  // namespace muster::cli
