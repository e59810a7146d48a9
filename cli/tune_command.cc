// muster tune: which density to choose for given links.
#include <cstdio>
#include <nlohmann/json.hpp>

#include "cli/commands.h"
#include "cli/json_text.h"
#include "cli/run_config.h"
#include "cli/tune.h"
#include "cli/units.h"

namespace muster::cli {
namespace {

struct TuneOptions {
  std::string config, uplink = "100mbit", downlink, round = "20min";
  std::vector<std::string> overrides;
  std::uint32_t rounds = 0;
  double share = 5;
  bool as_json = false;
};

void print(const std::vector<TunedDensity>& densities, const TunedDensity& chosen,
           const Links& links) {
  std::printf(
      "   keep   bytes up  bytes down     up s    down s   of round   sweeps  loss penalty  value "
      "error\n");
  for (const TunedDensity& d : densities)
    std::printf("%c %5u %10s  %10s  %7.2f  %8.2f  %8.2f %%  %7.1f  %10.1f %%  %9.1f %%\n",
                d.keep == chosen.keep ? '>' : ' ', d.keep, human_bytes(d.bytes_up).c_str(),
                human_bytes(d.bytes_down).c_str(), d.seconds_up, d.seconds_down, 100 * d.share,
                d.sweeps, 100 * d.loss_penalty, 100 * d.value_error);
  std::printf(
      "\nsweeps: how often a parameter is sent in the whole run. The penalty is over sending "
      "everything,\n"
      "interpolated from small runs (docs/payload.md): good for a choice, not for a third digit.\n"
      "value error: of what is kept, on heavy-tailed numbers; error feedback carries it to later "
      "rounds.\n\n");
  if (chosen.share > links.share_max)
    std::printf(
        "No density fits %.1f %% of a round of %s; the thinnest is marked. Make rounds longer.\n",
        100 * links.share_max, human_seconds(links.round_s).c_str());
}

Result<int> run_tune(const TuneOptions& options) {
  MUSTER_TRY(const RunConfig config, read_run_config(options.config, options.overrides));
  Links links{.share_max = options.share / 100};
  MUSTER_TRY(links.uplink, parse_rate(options.uplink));
  MUSTER_TRY(links.downlink,
             parse_rate(options.downlink.empty() ? options.uplink : options.downlink));
  MUSTER_TRY(links.round_s, parse_duration(options.round));
  const std::uint32_t of_run = config.params.rounds == 0 ? 1000 : config.params.rounds;
  const std::uint32_t rounds = options.rounds == 0 ? of_run : options.rounds;
  const auto densities = tune(config.params, links, rounds);
  const TunedDensity& chosen = pick(densities, links);
  if (!options.as_json) {
    const auto parameters = state::layout_of(config.params.model).parameters();
    std::printf(
        "%.4g M parameters, %u rounds of %s, %s up and %s down per second, values %s, aggregate "
        "%s\n\n",
        static_cast<double>(parameters) / 1e6, rounds, human_seconds(links.round_s).c_str(),
        human_bytes(links.uplink).c_str(), human_bytes(links.downlink).c_str(),
        std::string(compression::name_of(config.params.compression.values)).c_str(),
        std::string(compression::name_of(config.params.compression.downlink_values)).c_str());
    print(densities, chosen, links);
    std::printf("[compression]\nschedule = [[%u, %u]]\n", rounds, chosen.keep);
    return 0;
  }
  nlohmann::ordered_json json{
      {"rounds", rounds}, {"keep", chosen.keep}, {"fits", chosen.share <= links.share_max}};
  for (const TunedDensity& d : densities)
    json["densities"].push_back({{"keep", d.keep},
                                 {"bytes_up", d.bytes_up},
                                 {"bytes_down", d.bytes_down},
                                 {"seconds_up", d.seconds_up},
                                 {"seconds_down", d.seconds_down},
                                 {"share_of_round", d.share},
                                 {"sweeps", d.sweeps},
                                 {"loss_penalty", d.loss_penalty},
                                 {"value_error", d.value_error}});
  std::printf("%s\n", json_text(json, 2).c_str());
  return 0;
}

}  // namespace

void add_tune(Command app) {
  const Command command =
      app.add_command("tune", "What each density costs on your links, and which to choose");
  auto options = std::make_shared<TuneOptions>();
  command.add_option("config", options->config, "Configuration of the run").required();
  command.add_option("--uplink", options->uplink, "A miner's: 100mbit, 1gbit, 12MB (per second)")
      .show_default();
  command.add_option("--downlink", options->downlink, "The same; default: as the uplink");
  command.add_option("--round", options->round, "How long a round is to take: 90s, 20min, 1h")
      .show_default();
  command.add_option("--rounds", options->rounds,
                     "Of the run; default: the configuration's, or 1000");
  command.add_option("--share", options->share, "Percent of a round that transfers may take")
      .in_range(0.01, 100.0)
      .show_default();
  command.add_option("--set", options->overrides, "Override a field: section.key=value");
  command.add_flag("--json", options->as_json, "For scripts");
  command.footer("Example: muster tune --uplink 100mbit --round 20min examples/quickstart.toml");
  command.action([options](const std::atomic<bool>&) { return run_tune(*options); });
}

}  // namespace muster::cli
