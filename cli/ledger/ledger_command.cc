// muster ledger: the daemon, what it says, and the calls that change it.
#include <unistd.h>

#include <cstdio>

#include "base/clock.h"
#include "base/file.h"
#include "base/key.h"
#include "base/limits.h"
#include "base/printable.h"
#include "chain/codec/ss58.h"
#include "chain/service/ledger_service.h"
#include "cli/ledger/genesis_config.h"
#include "cli/ledger/ledger_commands.h"
#include "cli/node_options.h"
#include "cli/units.h"

namespace muster::cli {
namespace {

namespace fs = std::filesystem;

// Makes the current block durable. A full disk is waited out: the ledger takes no calls meanwhile.
Status close_block(chain::LedgerService& service, const Logger& logger, bool& full) {
  const Status stored = service.produce_block();
  if (!stored && stored.error().code != Errc::kNoSpace) return stored;
  if (!stored && !full) {
    const std::string text =
        stored.error().message + ": no calls are taken and no block closes until there is room";
    logger.error(text);  // which may lie on the same disk
    std::fprintf(stderr, "muster: %s\n", printable(text).c_str());
  }
  if (stored && full) logger.info("there is room again: blocks close");
  full = !stored;
  return {};
}

// Produces blocks at their interval and answers in between. Runs until `stop`.
Status serve(chain::LedgerService& service, wire::Transport& transport, const Logger& logger,
             Failpoints& failpoints, const std::atomic<bool>& stop) {
  const SteadyClock clock;
  const TimeMs interval = service.ledger().genesis().block_ms;
  TimeMs next_block = clock.now_ms() + interval;
  bool full = false;
  while (!stop) {
    const TimeMs left = next_block - clock.now_ms();
    if (left <= 0) {
      failpoints.pass("ledger.block.before");
      MUSTER_TRY_STATUS(close_block(service, logger, full));
      failpoints.pass("ledger.block.after");
      // After a pause (a suspended machine) blocks go on from now instead of all at once.
      next_block = std::max(next_block + interval, clock.now_ms());
      continue;
    }
    MUSTER_TRY(auto incoming, transport.receive(static_cast<int>(std::min<TimeMs>(left, 500))));
    if (incoming)
      (void)transport.send(incoming->from, service.handle(incoming->from, incoming->message));
  }
  return {};
}

struct ServeOptions : NodeOptions {
  std::string genesis, home = "ledger";
  std::vector<std::string> overrides;
};

struct Home {
  chain::runtime::Genesis genesis;
  fs::path folder;
  SigningKey key;
  Logger logger;
  Failpoints failpoints;
  std::optional<LockFile> lock;
  std::optional<PublicKey> coordinator;
};

// A run's ledger, whose genesis `muster init` made.
Result<Home> open_of_run(const ServeOptions& options) {
  const RunFolder folder{options.run};
  MUSTER_TRY(auto genesis, read_genesis(folder));
  MUSTER_TRY(NodeBase node, open_node(options));
  return Home{std::move(genesis),
              node.home,
              node.key,
              node.logger,
              std::move(node.failpoints),
              std::move(node.lock),
              node.params.coordinator};
}

// A ledger of its own: genesis from TOML, key and blocks in one folder.
Result<Home> open_alone(const ServeOptions& options) {
  MUSTER_TRY(auto genesis, read_genesis_config(options.genesis, options.overrides));
  const fs::path folder = options.home;
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) return Error{Errc::kIo, folder.string() + ": " + error.message()};
  MUSTER_TRY(LockFile lock, LockFile::take(folder / kLockFile, "muster ledger serve, process " +
                                                                   std::to_string(::getpid())));
  if (!fs::exists(folder / "key"))
    MUSTER_TRY_STATUS(write_key_file(folder / "key", SigningKey(random_seed())));
  MUSTER_TRY(const SigningKey key, read_key_file(folder / "key"));
  MUSTER_TRY(Logger logger, Logger::open("ledger", folder / "node.log", LogLevel::kInfo));
  return Home{
      std::move(genesis), folder,      key, std::move(logger), Failpoints(options.failpoint),
      std::move(lock),    std::nullopt};
}

Result<int> run_ledger(const ServeOptions& options, const std::atomic<bool>& stop) {
  MUSTER_TRY(Home home, options.genesis.empty() ? open_of_run(options) : open_alone(options));
  MUSTER_TRY(auto service, chain::LedgerService::open(home.genesis, home.folder / "ledger.sqlite",
                                                      home.key, home.coordinator));
  wire::ZmqContext context;
  MUSTER_TRY(auto server,
             wire::ZmqServer::listen(context, options.ledger_address, home.key,
                                     std::make_shared<wire::OpenAdmission>(),
                                     wire::options_for_everybody(limits::kLedgerRequestBytesMax)));
  const std::string started =
      "ledger " + home.genesis.name + ", genesis " + service->ledger().genesis_id().brief() +
      ", key " + chain::ss58_encode(home.key.public_key()) + ", at " + server->address() +
      ", block " + std::to_string(service->ledger().block_number());
  home.logger.info(started);
  if (!options.genesis.empty()) {
    std::printf("%s\n", started.c_str());
    std::fflush(stdout);
  }
  MUSTER_TRY_STATUS(serve(*service, *server, home.logger, home.failpoints, stop));
  return 0;
}

struct ReplayOptions {
  std::string run = "runs/quickstart", genesis, database;
  bool json = false;
};

Result<int> replay(const ReplayOptions& options, const std::atomic<bool>& stop) {
  const RunFolder folder{options.run};
  MUSTER_TRY(const auto genesis,
             options.genesis.empty() ? read_genesis(folder) : read_genesis_config(options.genesis));
  const fs::path database = options.database.empty() ? folder.node("ledger") / "ledger.sqlite"
                                                     : fs::path(options.database);
  if (!fs::exists(database))
    return Error{Errc::kNotFound, database.string() + ": no ledger's blocks here"};
  MUSTER_TRY(const auto store, chain::BlockStore::open(database));
  chain::runtime::Ledger ledger(genesis);
  const SteadyClock clock;
  const TimeMs start = clock.now_ms();
  TimeMs shown = start;
  MUSTER_TRY_STATUS(store->replay([&](const chain::runtime::Block& block) -> Status {
    if (stop) return Error{Errc::kCancelled, "stopped at block " + std::to_string(block.number)};
    if (const TimeMs now = clock.now_ms(); now - shown > 2000) {
      std::fprintf(stderr, "block %llu …\n", static_cast<unsigned long long>(block.number));
      shown = now;
    }
    return ledger.apply(block);
  }));
  const double seconds = static_cast<double>(clock.now_ms() - start) / 1000;
  const std::string state = chain::runtime::state_hash(ledger.state()).hex();
  if (options.json) {
    std::printf("{\"blocks\": %llu, \"head\": \"%s\", \"state\": \"%s\"}\n",
                static_cast<unsigned long long>(ledger.block_number()), ledger.head().hex().c_str(),
                state.c_str());
  } else {
    std::printf(
        "%llu blocks replayed in %s, every one gives the state that it says\nhead  %s\nstate %s\n",
        static_cast<unsigned long long>(ledger.block_number()), human_seconds(seconds).c_str(),
        ledger.head().hex().c_str(), state.c_str());
  }
  return 0;
}

}  // namespace

void add_ledger_serve(Command ledger) {
  const Command command = ledger.add_command("serve", "Produce blocks and answer requests");
  auto options = std::make_shared<ServeOptions>();
  add_node_options(command, *options, "ledger");
  command.add_option("--genesis", options->genesis,
                     "A ledger of its own, from this TOML file, instead of a run's");
  command.add_option("--home", options->home, "… with its key and blocks in this folder")
      .show_default();
  command.add_option("--set", options->overrides,
                     "… and a field of it overridden: section.key=value");
  command.footer(
      "Examples: muster ledger serve --run runs/quickstart\n"
      "          muster ledger serve --genesis examples/ledger.toml --home runs/ledger");
  command.action([options](const std::atomic<bool>& stop) { return run_ledger(*options, stop); });
}

void add_ledger_replay(Command ledger) {
  const Command command =
      ledger.add_command("replay", "Apply all blocks from genesis again, and check every state");
  auto options = std::make_shared<ReplayOptions>();
  command.add_option("--run", options->run, "Folder of the run").show_default();
  command.add_option("--genesis", options->genesis,
                     "TOML of a ledger of its own, instead of the run's");
  command.add_option("--blocks", options->database, "Its ledger.sqlite; default: the run's");
  command.add_flag("--json", options->json, "For scripts");
  command.footer("Example: muster ledger replay --run runs/quickstart");
  command.action([options](const std::atomic<bool>& stop) { return replay(*options, stop); });
}

void add_ledger(Command app) {
  const Command ledger = app.add_command("ledger", "The ledger: blocks, stake, weights, pay");
  ledger.require_command();
  add_ledger_serve(ledger);
  add_ledger_views(ledger);
  add_register(ledger);
  add_stake(ledger);
  add_subnet(ledger);
  add_delegate(ledger);
  add_weights(ledger);
  add_transfer(ledger);
  add_ledger_replay(ledger);
}

}  // namespace muster::cli
