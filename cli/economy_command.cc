#include "cli/economy_command.h"

#include <cinttypes>
#include <cstdio>
#include <fstream>
#include <nlohmann/json.hpp>

#include "base/clock.h"
#include "base/file.h"
#include "cli/economy_config.h"
#include "cli/json_text.h"
#include "cli/svg_chart.h"
#include "cli/units.h"
#include "sim/economy/economy.h"

namespace muster::cli {
namespace {

using nlohmann::ordered_json;

struct EconomyOptions {
  std::string scenario, html, json;
  std::vector<std::string> overrides;
};

// A line per subnet that ever existed, over days; it ends where the subnet does.
std::vector<Line> lines_of(const sim::History& history, double sim::SubnetSample::*value) {
  std::vector<Line> lines;
  for (const auto& sample : history.samples) {
    for (const auto& subnet : sample.subnets) {
      auto line = std::find_if(lines.begin(), lines.end(),
                               [&](const Line& l) { return l.label == subnet.name; });
      if (line == lines.end()) line = lines.insert(lines.end(), {subnet.name, {}});
      line->points.emplace_back(sample.day, subnet.*value);
    }
  }
  return lines;
}

std::vector<Line> lines_of(const sim::History& history, double sim::RoleSample::*value) {
  std::vector<Line> lines;
  for (std::size_t role = 0; role < sim::kEconomicRoles; ++role) {
    Line& line =
        lines.emplace_back(Line{std::string(name_of(static_cast<sim::EconomicRole>(role))), {}});
    for (const auto& sample : history.samples)
      line.points.emplace_back(sample.day, sample.roles[role].*value);
  }
  return lines;
}

std::string html_of(const sim::Scenario& scenario, const sim::History& history) {
  Line minted{"TAO per block", {}};
  for (const auto& sample : history.samples)
    minted.points.emplace_back(sample.day, sample.tao_per_block);
  std::string happened = "<ul>\n";
  for (const auto& happening : history.happenings) {
    char when[32];
    std::snprintf(when, sizeof(when), "day %.1f: ", happening.day);
    happened += "<li>" + std::string(when) + escape_html(happening.what) + "</li>\n";
  }
  return html_page(
      scenario.name,
      happened + "</ul>\n" +
          line_chart("Price, TAO per alpha", "day", lines_of(history, &sim::SubnetSample::price)) +
          line_chart("Share of the minted TAO", "day",
                     lines_of(history, &sim::SubnetSample::emission_share)) +
          line_chart("Worth of stakers' alpha, TAO", "day",
                     lines_of(history, &sim::SubnetSample::stakers_tao)) +
          line_chart("Spent by users so far, TAO", "day",
                     lines_of(history, &sim::SubnetSample::usage_tao)) +
          line_chart("Paid so far by role, TAO at each day's price", "day",
                     lines_of(history, &sim::RoleSample::paid_tao)) +
          line_chart("Holdings by role, TAO", "day",
                     lines_of(history, &sim::RoleSample::holdings_tao)) +
          line_chart("Minted per block", "day", {minted}));
}

ordered_json json_of(const sim::History& history) {
  ordered_json json{{"samples", ordered_json::array()},
                    {"happenings", ordered_json::array()},
                    {"refused", ordered_json::object()}};
  for (const auto& sample : history.samples) {
    ordered_json row{{"day", sample.day},
                     {"block", sample.block},
                     {"issuance_tao", sample.issuance_tao},
                     {"tao_per_block", sample.tao_per_block},
                     {"subnets", ordered_json::array()},
                     {"roles", ordered_json::object()}};
    for (const auto& s : sample.subnets)
      row["subnets"].push_back({{"name", s.name},
                                {"netuid", s.netuid},
                                {"price", s.price},
                                {"moving_price", s.moving_price},
                                {"emission_share", s.emission_share},
                                {"pool_tao", s.pool_tao},
                                {"stakers_tao", s.stakers_tao},
                                {"usage_tao", s.usage_tao}});
    for (std::size_t role = 0; role < sim::kEconomicRoles; ++role)
      row["roles"][std::string(name_of(static_cast<sim::EconomicRole>(role)))] = {
          {"holdings_tao", sample.roles[role].holdings_tao},
          {"paid_tao", sample.roles[role].paid_tao}};
    json["samples"].push_back(std::move(row));
  }
  for (const auto& happening : history.happenings)
    json["happenings"].push_back({{"day", happening.day}, {"what", happening.what}});
  for (const auto& [what, times] : history.refused) json["refused"][what] = times;
  return json;
}

void print(const sim::History& history) {
  std::printf(
      "   day  TAO/block  subnet            price   moving   share    pool TAO  stakers' TAO  "
      "users spent\n");
  const std::size_t step = std::max<std::size_t>(1, (history.samples.size() - 1) / 6);
  for (std::size_t i = 0; i < history.samples.size(); i += step) {
    const auto& sample = history.samples[i];
    for (std::size_t s = 0; s < sample.subnets.size(); ++s) {
      const auto& subnet = sample.subnets[s];
      if (s == 0)
        std::printf("%6.1f  %9.4f  ", sample.day, sample.tao_per_block);
      else
        std::printf("%19s", "");
      std::printf("%-14s %8.4f %8.5f %5.1f %% %11.1f %13.1f %12.1f\n", subnet.name.c_str(),
                  subnet.price, subnet.moving_price, 100 * subnet.emission_share, subnet.pool_tao,
                  subnet.stakers_tao, subnet.usage_tao);
    }
  }
  std::printf("\n");
  for (const auto& happening : history.happenings)
    std::printf("day %6.1f  %s\n", happening.day, happening.what.c_str());
  const auto& first = history.samples.front();
  const auto& last = history.samples.back();
  std::printf("\n%-12s %16s %16s %16s\n", "", "held at first", "held at last", "paid");
  for (std::size_t role = 0; role < sim::kEconomicRoles; ++role)
    std::printf("%-12s %16.1f %16.1f %16.1f TAO\n",
                std::string(name_of(static_cast<sim::EconomicRole>(role))).c_str(),
                first.roles[role].holdings_tao, last.roles[role].holdings_tao,
                last.roles[role].paid_tao);
  if (!history.refused.empty()) std::printf("\ncalls that the ledger refused\n");
  for (const auto& [what, times] : history.refused)
    std::printf("%8" PRIu64 "  %s\n", times, what.c_str());
}

Result<int> run(const EconomyOptions& options, const std::atomic<bool>& stop) {
  MUSTER_TRY(const sim::Scenario scenario, read_scenario(options.scenario, options.overrides));
  const SteadyClock clock;
  const TimeMs start = clock.now_ms();
  TimeMs shown = start;
  sim::Economy economy(scenario);
  while (!economy.finished()) {
    economy.advance();
    if (stop) return Error{Errc::kCancelled, "stopped at block " + std::to_string(economy.block())};
    if (economy.block() % 1024 != 0) continue;
    if (const TimeMs now = clock.now_ms(); now - shown > 2000) {
      std::fprintf(stderr, "block %" PRIu64 " of %" PRIu64 " …\n", economy.block(),
                   scenario.blocks());
      shown = now;
    }
  }
  const double seconds = static_cast<double>(clock.now_ms() - start) / 1000;
  print(economy.history());
  std::printf("\n%" PRIu64 " blocks in %s, %.0f per second\n", scenario.blocks(),
              human_seconds(seconds).c_str(),
              static_cast<double>(scenario.blocks()) / std::max(seconds, 1e-3));
  if (!options.html.empty())
    MUSTER_TRY_STATUS(replace_file(options.html, bytes_of(html_of(scenario, economy.history()))));
  if (!options.json.empty())
    MUSTER_TRY_STATUS(
        replace_file(options.json, bytes_of(json_text(json_of(economy.history()), 1) + "\n")));
  return 0;
}

}  // namespace

void add_sim_economy(Command sim) {
  const Command command = sim.add_command(
      "economy", "Months of a ledger in seconds: subnets, their people and their users");
  auto options = std::make_shared<EconomyOptions>();
  command.add_option("scenario", options->scenario, "Who is there and what they want (TOML)")
      .required();
  command.add_option("--html", options->html, "Also write plots to this file");
  command.add_option("--json", options->json, "Also write every sample to this file");
  command.add_option("--set", options->overrides, "Override a field: section.key=value");
  command.footer("Example: muster sim economy examples/economy.toml --html economy.html");
  command.action([options](const std::atomic<bool>& stop) { return run(*options, stop); });
}

}  // namespace muster::cli
