#include "sim/economy/scenario.h"

#include <cmath>
#include <set>

#include "chain/economy/block_emission.h"

namespace muster::sim {
namespace {

constexpr std::uint32_t kPeopleMax = 200;  // miners and validators of a subnet fit into its uids
constexpr double kDaysMax = 3'650;

Status require(bool holds, const std::string& field, const char* expected) {
  if (holds) return {};
  return Error{Errc::kInvalidArgument, "'" + field + "' must be " + expected};
}

bool is_share(double x) { return x >= 0 && x <= 1; }
bool is_amount(double x) { return std::isfinite(x) && x >= 0 && x <= 21e6; }

Status check(const SubnetPlan& plan, const std::string& where) {
  MUSTER_TRY_STATUS(require(!plan.name.empty(), where + "name", "a text"));
  MUSTER_TRY_STATUS(require(plan.launch_day >= 0 && plan.launch_day <= kDaysMax,
                            where + "launch_day", "from 0 on"));
  MUSTER_TRY_STATUS(require(plan.tempo >= 10 && plan.tempo <= chain::kTempoMax, where + "tempo",
                            "from 10 to 50400"));
  MUSTER_TRY_STATUS(
      require(plan.miners >= 1 && plan.miners <= kPeopleMax, where + "miners", "from 1 to 200"));
  MUSTER_TRY_STATUS(
      require(plan.validators >= 1 && plan.validators <= 50, where + "validators", "from 1 to 50"));
  MUSTER_TRY_STATUS(require(is_amount(plan.validator_stake_tao) && plan.validator_stake_tao >= 1,
                            where + "validator_stake_tao", "at least 1"));
  MUSTER_TRY_STATUS(
      require(is_amount(plan.pool_tao) && plan.pool_tao >= 1, where + "pool_tao", "at least 1"));
  for (const auto& [name, share] : {std::pair{"miners_sell", plan.miners_sell},
                                    {"validators_sell", plan.validators_sell},
                                    {"creator_sells", plan.creator_sells}})
    MUSTER_TRY_STATUS(require(is_share(share), where + name, "from 0 to 1"));
  for (std::size_t i = 0; i < plan.usage.size(); ++i) {
    const bool later = i == 0 || plan.usage[i].day > plan.usage[i - 1].day;
    MUSTER_TRY_STATUS(require(later && is_amount(plan.usage[i].tao_per_day), where + "usage",
                              "[day, TAO per day] by ascending day"));
  }
  return {};
}

}  // namespace

Status validate(const Scenario& scenario) {
  MUSTER_TRY_STATUS(
      require(scenario.days > 0 && scenario.days <= kDaysMax, "scenario.days", "from 0 to 3650"));
  MUSTER_TRY_STATUS(require(scenario.sample_days >= 0.01 && scenario.sample_days <= scenario.days,
                            "scenario.sample_days", "from 0.01 to the days"));
  MUSTER_TRY_STATUS(
      require(is_amount(scenario.issuance_tao), "scenario.issuance_tao", "from 0 to 21000000"));
  MUSTER_TRY_STATUS(require(!scenario.subnets.empty(), "subnet", "there at least once"));
  std::set<std::string> names;
  for (const SubnetPlan& plan : scenario.subnets) {
    MUSTER_TRY_STATUS(check(plan, "subnet " + plan.name + "."));
    MUSTER_TRY_STATUS(require(names.insert(plan.name).second, "subnet.name", "different for each"));
  }
  const StakerPlan& stakers = scenario.stakers;
  MUSTER_TRY_STATUS(require(stakers.count <= 10'000, "stakers.count", "at most 10000"));
  MUSTER_TRY_STATUS(require(is_amount(stakers.tao), "stakers.tao", "from 0 to 21000000"));
  MUSTER_TRY_STATUS(require(is_share(stakers.move_share), "stakers.move_share", "from 0 to 1"));
  MUSTER_TRY_STATUS(require(is_share(stakers.root_share), "stakers.root_share", "from 0 to 1"));
  return require(stakers.every_days > 0 && stakers.boldness >= 0 && stakers.boldness <= 100,
                 "stakers.every_days", "above 0, and stakers.boldness from 0 to 100");
}

double usage_on(const SubnetPlan& plan, double day) {
  double before_day = 0, before = 0;
  for (const UsagePoint& point : plan.usage) {
    if (day < point.day)
      return before + (point.tao_per_day - before) * (day - before_day) / (point.day - before_day);
    before_day = point.day;
    before = point.tao_per_day;
  }
  return before;
}

}  // namespace muster::sim
