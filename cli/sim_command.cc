// muster sim: networks and economies in simulation.
#include <cstdio>

#include "cli/attacks_command.h"
#include "cli/commands.h"
#include "cli/economy_command.h"
#include "sim/world.h"

namespace muster::cli {
namespace {

void print_world(const sim::WorldReport& report) {
  std::printf(
      "seed %llu: %llu rounds sealed, %llu null, %llu crashes, %llu bit flips, "
      "%llu checkpoints taken, %llu started over, %llu messages, %llu hostile steps, %.0f s "
      "simulated%s\n",
      static_cast<unsigned long long>(report.seed),
      static_cast<unsigned long long>(report.sealed_rounds),
      static_cast<unsigned long long>(report.null_rounds),
      static_cast<unsigned long long>(report.crashes),
      static_cast<unsigned long long>(report.bit_flips),
      static_cast<unsigned long long>(report.joins),
      static_cast<unsigned long long>(report.restarts_from_genesis),
      static_cast<unsigned long long>(report.messages),
      static_cast<unsigned long long>(report.hostile_steps),
      static_cast<double>(report.simulated_ms) / 1000, report.ok() ? "" : "  VIOLATED:");
  for (const std::string& violation : report.violations) std::printf("  %s\n", violation.c_str());
}

}  // namespace

void add_sim(Command app) {
  const Command command =
      app.add_command("sim", "Whole networks in simulation, checked for invariants");
  struct Options {
    std::uint64_t first = 1, count = 20;
    std::optional<std::uint64_t> seed;
    std::optional<std::uint32_t> rounds;
    bool hostile = false;
  };
  auto options = std::make_shared<Options>();
  command.add_option("--seed", options->seed, "Replay one seed");
  command.add_option("--first", options->first, "First seed").show_default();
  command.add_option("--count", options->count, "How many seeds").show_default();
  command.add_option("--rounds", options->rounds, "Rounds per network");
  command.add_flag("--hostile", options->hostile,
                   "Registered hotkeys among the nodes send whatever they like, and nobody may be "
                   "stopped by it");
  command.footer(
      "Examples: muster sim --count 200\n          muster sim --hostile --count 50\n          "
      "muster sim --seed 17\n"
      "          muster sim economy examples/economy.toml --html economy.html");
  add_sim_attacks(command);
  add_sim_economy(command);
  command.action([options](const std::atomic<bool>& stop) -> Result<int> {
    const std::uint64_t first = options->seed.value_or(options->first);
    const std::uint64_t count = options->seed ? 1 : options->count;
    std::uint64_t violated = 0;
    for (std::uint64_t seed = first; seed < first + count && !stop; ++seed) {
      auto config = options->hostile ? sim::hostile_world(seed) : sim::random_world(seed);
      if (options->rounds) config.rounds = *options->rounds;
      const auto report = sim::run_world(config);
      print_world(report);
      violated += !report.ok();
    }
    if (stop) return Error{Errc::kCancelled, "stopped"};
    std::printf("%llu seeds, %llu with violations\n", static_cast<unsigned long long>(count),
                static_cast<unsigned long long>(violated));
    return violated == 0 ? 0 : kExitChecksFailed;
  });
}

}  // namespace muster::cli
