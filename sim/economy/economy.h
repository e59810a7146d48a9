// Economy: a scenario's people on a ledger, block by block: creators, miners, validators, users and
// stakers.
//
// Everybody acts by calls that the ledger's own rules decide on, unsigned because nobody else is
// there; nothing is done to the state in any other way. Equal scenarios give equal histories.
// Thread safety: none; one owner. Cost: a block without an epoch a few µs per subnet; see
// bench/chain_bench.cc.
#pragma once

#include <array>
#include <map>
#include <string>
#include <vector>

#include "base/prng.h"
#include "chain/codec/call.h"
#include "chain/runtime/event.h"
#include "chain/runtime/genesis.h"
#include "sim/economy/scenario.h"

namespace muster::sim {

enum class EconomicRole : std::uint8_t { kCreator, kMiner, kValidator, kStaker };
inline constexpr std::size_t kEconomicRoles = 4;
[[nodiscard]] std::string_view name_of(EconomicRole role);

struct SubnetSample {
  std::string name;
  chain::Netuid netuid = 0;
  double price = 0;  // TAO per alpha
  double moving_price = 0;
  double emission_share = 0;  // of the next block's TAO
  double pool_tao = 0;
  double stakers_tao = 0;  // worth of what stakers hold of its alpha
  double usage_tao = 0;    // spent by users so far
};

struct RoleSample {
  double holdings_tao = 0;  // free, and staked at the present price
  double paid_tao = 0;      // so far, each day's pay at that day's price
};

struct Sample {
  double day = 0;
  std::uint64_t block = 0;
  double issuance_tao = 0;
  double tao_per_block = 0;
  std::vector<SubnetSample> subnets;  // that exist
  std::array<RoleSample, kEconomicRoles> roles{};
};

struct Happening {
  double day = 0;
  std::string what;
};

struct History {
  std::vector<Sample> samples;
  std::vector<Happening> happenings;  // launches, deregistrations, halvings
  std::map<std::string, std::uint64_t>
      refused;  // calls that the ledger refused: how often, by call and reason
};

class Economy {
 public:
  // REQUIRES: validate(scenario).
  explicit Economy(const Scenario& scenario);

  // One block: its step, then who acts in it.
  void advance();
  [[nodiscard]] std::uint64_t block() const { return state_.block; }
  [[nodiscard]] bool finished() const { return state_.block >= scenario_.blocks(); }
  [[nodiscard]] const History& history() const { return history_; }
  [[nodiscard]] const chain::runtime::State& state() const { return state_; }

 private:
  struct Person {
    chain::AccountId coldkey, hotkey;
    double quality = 0;  // of a miner's work
  };
  struct Market {
    SubnetPlan plan;
    chain::Netuid netuid = 0;  // 0: not there
    bool over = false;
    Person creator;
    std::vector<Person> miners, validators;
    chain::AccountId users;
    double usage_tao = 0;
    std::vector<double>
        demand_tao;  // of the last days: what all but stakers bought less what they sold
  };
  struct Staker {
    chain::AccountId coldkey;
    std::uint64_t next_block = 0;
  };
  // Who may have a subnet's alpha: a coldkey of this role, behind this hotkey.
  struct Holding {
    EconomicRole role;
    chain::AccountId coldkey, hotkey;
  };

  [[nodiscard]] chain::runtime::Genesis make_genesis();
  bool call(const chain::AccountId& signer, const chain::RuntimeCall& what);
  void sell(EconomicRole role, Market& market, const Person& person, double share);
  void launch(Market& market);
  void populate(Market& market);
  void notice_deregistrations();
  void weigh(Market& market);
  void live_a_day(Market& market);
  void reconsider(Staker& staker);
  [[nodiscard]] double attraction(const Market& market) const;
  bool trade(EconomicRole role, Market& market, const Person& who, const chain::RuntimeCall& what);
  void note_trade(EconomicRole role, const Market& market, double alpha);
  void settle_pay();
  void sample();
  [[nodiscard]] const Person& validator_of(const Market& market, const Staker& staker) const;
  [[nodiscard]] double day() const {
    return static_cast<double>(state_.block) / chain::kBlocksPerDay;
  }
  [[nodiscard]] double price(chain::Netuid netuid) const;
  [[nodiscard]] std::vector<Holding> holdings_on(const Market& market) const;
  void tell(std::string what) { history_.happenings.push_back({day(), std::move(what)}); }

  Scenario scenario_;
  Prng random_;
  std::vector<Market> markets_;
  std::vector<Staker> stakers_;
  Person root_validator_;
  chain::runtime::State state_;
  chain::runtime::Events events_;
  History history_;
  std::uint64_t last_emission_ = 0;
  struct AlphaAccount {
    double held = 0;    // when pay was settled
    double bought = 0;  // since then; sold, below 0
  };
  std::vector<std::array<AlphaAccount, kEconomicRoles>> accounts_;  // of each market
  std::array<double, kEconomicRoles> paid_tao_{};
};

[[nodiscard]] inline History run_economy(const Scenario& scenario) {
  Economy economy(scenario);
  while (!economy.finished()) economy.advance();
  return economy.history();
}

}  // namespace muster::sim
