// Scenario: an economy to try out: subnets with their people and their users, over months of
// blocks.
//
// A scenario says who is there and what they want; what comes of it is the ledger's rules and
// theirs. Thread safety: plain values, pure functions.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "chain/runtime/parameters.h"

namespace muster::sim {

// From `day` on users spend so much per day. Between two points it changes evenly.
struct UsagePoint {
  double day = 0;
  double tao_per_day = 0;
};

struct SubnetPlan {
  std::string name;
  double launch_day =
      0;  // 0: exists at genesis; later: its creator registers it as soon as that is possible
  std::uint16_t tempo = 360;
  std::uint32_t miners = 32;
  std::uint32_t validators = 8;
  double validator_stake_tao = 500;  // of each, at launch
  double pool_tao = 2'000;           // at genesis; one that is registered later gets its lock cost
  double miners_sell = 0.5;          // share of what they earned that is sold each day
  double validators_sell = 0.2;
  double creator_sells = 0.5;
  std::vector<UsagePoint>
      usage{};  // TAO that users spend on the subnet's alpha, which is burned for what they get
};

struct StakerPlan {
  std::uint32_t count = 40;
  double tao = 1'000;       // of each
  double move_share = 0.1;  // of what it holds that a staker may move at once
  double every_days = 3;    // between two looks at the prices
  double boldness = 1;  // how much the others' demand counts against dividends; 0: only dividends
  double root_share = 0.3;  // staked on root for good
};

struct Scenario {
  std::string name = "economy";
  std::uint64_t seed = 1;
  double days = 90;
  double sample_days = 1;
  double issuance_tao = 0;  // at the start, the treasury included; 0: what the people have
  chain::runtime::NetworkParameters network;
  std::vector<SubnetPlan> subnets;
  StakerPlan stakers;

  [[nodiscard]] std::uint64_t blocks() const {
    return static_cast<std::uint64_t>(days * chain::kBlocksPerDay);
  }
};

// Errors: kInvalidArgument, naming the field and what it must be.
[[nodiscard]] Status validate(const Scenario& scenario);

// What users spend on a day, by the plan.
[[nodiscard]] double usage_on(const SubnetPlan& plan, double day);

}  // namespace muster::sim
