#include "cli/economy_config.h"

#include "cli/toml_section.h"

namespace muster::cli {
namespace {

Status read_subnet(TomlSection section, sim::SubnetPlan& plan) {
  std::vector<std::vector<double>> usage;
  section.field("name", plan.name)
      .field("launch_day", plan.launch_day)
      .field("tempo", plan.tempo)
      .field("miners", plan.miners)
      .field("validators", plan.validators)
      .field("validator_stake_tao", plan.validator_stake_tao)
      .field("pool_tao", plan.pool_tao)
      .field("miners_sell", plan.miners_sell)
      .field("validators_sell", plan.validators_sell)
      .field("creator_sells", plan.creator_sells)
      .rows("usage", 2, usage);
  for (const auto& row : usage) plan.usage.push_back({row[0], row[1]});
  return section.finish();
}

Status read_sections(const TomlFile& toml, sim::Scenario& scenario) {
  bool gate = false;
  auto& network = scenario.network;
  MUSTER_TRY_STATUS(toml.section("scenario")
                        .field("name", scenario.name)
                        .field("seed", scenario.seed)
                        .field("days", scenario.days)
                        .field("sample_days", scenario.sample_days)
                        .field("issuance_tao", scenario.issuance_tao)
                        .finish());
  MUSTER_TRY_STATUS(toml.section("network")
                        .field("emission_gate", gate)
                        .field("subnet_limit", network.subnet_limit)
                        .field("network_immunity_blocks", network.network_immunity_blocks)
                        .field("network_rate_limit_blocks", network.network_rate_limit_blocks)
                        .finish());
  if (gate) network.emission_rule = chain::runtime::EmissionRule::kGated;
  MUSTER_TRY_STATUS(toml.section("stakers")
                        .field("count", scenario.stakers.count)
                        .field("tao", scenario.stakers.tao)
                        .field("move_share", scenario.stakers.move_share)
                        .field("every_days", scenario.stakers.every_days)
                        .field("boldness", scenario.stakers.boldness)
                        .field("root_share", scenario.stakers.root_share)
                        .finish());
  TomlSection root = toml.section("");
  root.known({"scenario", "network", "stakers"});
  for (TomlSection& table : root.tables("subnet"))
    MUSTER_TRY_STATUS(read_subnet(std::move(table), scenario.subnets.emplace_back()));
  return root.finish();
}

}  // namespace

Result<sim::Scenario> read_scenario(const std::filesystem::path& path,
                                    const std::vector<std::string>& overrides) {
  MUSTER_TRY(const TomlFile toml, TomlFile::read(path, overrides));
  sim::Scenario scenario;
  MUSTER_TRY_STATUS(read_sections(toml, scenario));
  if (Status valid = sim::validate(scenario); !valid)
    return std::move(valid).error().within(path.string());
  return scenario;
}

}  // namespace muster::cli
