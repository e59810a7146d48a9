#include "sim/economy/economy.h"

#include <algorithm>
#include <cmath>

#include "chain/economy/block_emission.h"
#include "chain/runtime/balances.h"
#include "chain/runtime/block_step.h"
#include "chain/runtime/dispatch.h"
#include "chain/runtime/genesis.h"
#include "chain/runtime/stakes.h"
#include "chain/runtime/views.h"

namespace muster::sim {
namespace {

namespace rt = chain::runtime;
using chain::AccountId;
using chain::kBlocksPerDay;
using chain::Netuid;

constexpr double kRao = 1e9;
constexpr std::size_t kDemandDays = 7;  // that stakers remember
constexpr double kTaste = 0.02;         // of a day's return: how far stakers' likings lie apart
constexpr double kUsersTao = 200'000;   // more than they spend
constexpr double kWorkingTao = 200;     // of miners and validators, for registrations
constexpr std::uint64_t kMinSale = 20'000'000;  // alpha-rao: ten times what the ledger allows

std::uint64_t rao(double tao) { return static_cast<std::uint64_t>(std::max(0.0, tao) * kRao); }
double tao(std::uint64_t amount) { return static_cast<double>(amount) / kRao; }

// Nobody needs a key where nobody can forge a call.
AccountId account(const std::string& name) {
  return {tagged_hash("muster/economy", bytes_of(name)).bytes};
}

}  // namespace

std::string_view name_of(EconomicRole role) {
  switch (role) {
    case EconomicRole::kCreator:
      return "creators";
    case EconomicRole::kMiner:
      return "miners";
    case EconomicRole::kValidator:
      return "validators";
    case EconomicRole::kStaker:
      return "stakers";
  }
  return "";
}

Economy::Economy(const Scenario& scenario) : scenario_(scenario), random_(scenario.seed) {
  state_ = rt::make_state(make_genesis());
  last_emission_ = chain::block_emission(state_.issuance_rao);
  accounts_.resize(markets_.size());
  for (Market& market : markets_)
    if (market.netuid != 0) populate(market);
  if (scenario_.stakers.count > 0)
    call(root_validator_.coldkey, chain::RootRegister{root_validator_.hotkey});
  for (Staker& staker : stakers_)
    if (const double share = scenario_.stakers.root_share; share > 0)
      call(staker.coldkey,
           chain::AddStake{root_validator_.hotkey, 0, rao(scenario_.stakers.tao * share)});
  settle_pay();
  sample();
}

// ---- who is there

chain::runtime::Genesis Economy::make_genesis() {
  rt::Genesis genesis;
  genesis.network = scenario_.network;
  double total = 0;
  const auto fund = [&](const AccountId& who, double amount) {
    genesis.balances.push_back({who, rao(amount)});
    total += amount;
  };
  Netuid next = 1;
  for (const SubnetPlan& plan : scenario_.subnets) {
    Market& market = markets_.emplace_back();
    market.plan = plan;
    const auto person = [&](const std::string& role, std::uint32_t i) {
      const std::string name = plan.name + "/" + role + std::to_string(i);
      return Person{account(name + "/cold"), account(name + "/hot"), 0.2 + 0.8 * random_.uniform()};
    };
    market.creator = person("creator", 0);
    market.users = account(plan.name + "/users");
    fund(market.creator.coldkey, plan.launch_day > 0 ? 20'000 : kWorkingTao);
    fund(market.users, kUsersTao);
    for (std::uint32_t i = 0; i < plan.miners; ++i) market.miners.push_back(person("miner", i));
    for (std::uint32_t i = 0; i < plan.validators; ++i)
      market.validators.push_back(person("validator", i));
    for (const Person& miner : market.miners) fund(miner.coldkey, kWorkingTao);
    for (const Person& validator : market.validators)
      fund(validator.coldkey, kWorkingTao + plan.validator_stake_tao);
    if (plan.launch_day > 0) continue;
    market.netuid = next++;
    rt::GenesisSubnet& subnet = genesis.subnets.emplace_back();
    subnet.netuid = market.netuid;
    subnet.owner_coldkey = market.creator.coldkey;
    subnet.owner_hotkey = market.creator.hotkey;
    subnet.tao_reserve = subnet.alpha_reserve = rao(plan.pool_tao);
    subnet.parameters.tempo = plan.tempo;
    subnet.parameters.commit_reveal = false;
    subnet.burn_rao = rao(0.01);
    total += plan.pool_tao;
    for (const auto* people : {&market.miners, &market.validators})
      for (const Person& one : *people) subnet.neurons.push_back({one.coldkey, one.hotkey});
  }
  root_validator_ = {account("root/cold"), account("root/hot"), 1};
  fund(root_validator_.coldkey, kWorkingTao);
  for (std::uint32_t i = 0; i < scenario_.stakers.count; ++i) {
    Staker& staker = stakers_.emplace_back();
    staker.coldkey = account("staker" + std::to_string(i));
    staker.next_block =
        1 + random_.below(static_cast<std::uint64_t>(scenario_.stakers.every_days * kBlocksPerDay));
    fund(staker.coldkey, scenario_.stakers.tao);
  }
  if (scenario_.issuance_tao > total) fund(account("treasury"), scenario_.issuance_tao - total);
  const Status valid = rt::validate(genesis);
  MUSTER_CHECK(valid.has_value(), valid ? "" : valid.error().message);
  return genesis;
}

bool Economy::call(const AccountId& signer, const chain::RuntimeCall& what) {
  const rt::Outcome error = rt::dispatch(state_, events_, AccountId{}, signer, what);
  if (error)
    ++history_
          .refused[std::string(chain::id_of(what).name) + ": " + std::string(rt::name_of(*error))];
  return !error;
}

// Its creator registers the subnet when its day has come and the chain allows one; then people
// join.
void Economy::launch(Market& market) {
  const std::uint64_t waited = state_.block - state_.last_network_block;
  if (state_.last_network_block > 0 && waited < state_.network.network_rate_limit_blocks) return;
  const std::size_t before = events_.size();
  if (!call(market.creator.coldkey, chain::RegisterNetwork{market.creator.hotkey})) return;
  for (std::size_t i = before; i < events_.size(); ++i)
    if (const auto* added = std::get_if<rt::NetworkAdded>(&events_[i]))
      market.netuid = added->netuid;
  notice_deregistrations();
  tell(market.plan.name + " is registered as subnet " + std::to_string(market.netuid));
  call(market.creator.coldkey, chain::StartCall{market.netuid});
  call(market.creator.coldkey, chain::SetCommitRevealEnabled{market.netuid, false});
  populate(market);
}

void Economy::populate(Market& market) {
  const rt::Subnet& subnet = state_.subnets.at(market.netuid);
  for (const auto* people : {&market.miners, &market.validators})
    for (const Person& one : *people)
      if (!subnet.neurons.uid_of(one.hotkey))
        call(one.coldkey, chain::BurnedRegister{market.netuid, one.hotkey});
  for (const Person& validator : market.validators)
    trade(EconomicRole::kValidator, market, validator,
          chain::AddStake{validator.hotkey, market.netuid, rao(market.plan.validator_stake_tao)});
}

void Economy::notice_deregistrations() {
  for (Market& market : markets_) {
    if (market.netuid == 0 || market.over) continue;
    const auto found = state_.subnets.find(market.netuid);
    if (found != state_.subnets.end() && found->second.owner_coldkey == market.creator.coldkey)
      continue;
    market.over = true;
    tell(market.plan.name + " is deregistered: its pool goes to those who held its alpha");
    market.netuid = 0;
  }
}

// ---- what they do

// A call that changes how much alpha somebody has, noted as bought or sold and not as pay.
bool Economy::trade(EconomicRole role, Market& market, const Person& who,
                    const chain::RuntimeCall& what) {
  const auto held = [&] {
    return tao(rt::stake_of(state_, who.hotkey, who.coldkey, market.netuid));
  };
  const double before = held(), free_before = tao(rt::balance_of(state_, who.coldkey));
  const bool done = call(who.coldkey, what);
  note_trade(role, market, held() - before);
  if (role != EconomicRole::kStaker && !market.demand_tao.empty())
    market.demand_tao.back() += free_before - tao(rt::balance_of(state_, who.coldkey));
  return done;
}

void Economy::sell(EconomicRole role, Market& market, const Person& person, double share) {
  const std::uint64_t alpha = rt::stake_of(state_, person.hotkey, person.coldkey, market.netuid);
  const auto amount = static_cast<std::uint64_t>(static_cast<double>(alpha) * share);
  if (amount >= kMinSale)
    trade(role, market, person, chain::RemoveStake{person.hotkey, market.netuid, amount});
}

// Every validator says how good it found the miners' work: what it is, give or take a tenth.
void Economy::weigh(Market& market) {
  const rt::Subnet& subnet = state_.subnets.at(market.netuid);
  chain::SetWeights weights{market.netuid, {}, {}, 0};
  std::vector<double> quality;
  for (const Person& miner : market.miners) {
    const auto uid = subnet.neurons.uid_of(miner.hotkey);
    if (!uid) continue;
    weights.uids.push_back(*uid);
    quality.push_back(miner.quality);
  }
  for (const Person& validator : market.validators) {
    const auto uid = subnet.neurons.uid_of(validator.hotkey);
    if (!uid || !subnet.neurons.permits[*uid]) continue;
    weights.weights.clear();
    for (const double q : quality)
      weights.weights.push_back(
          static_cast<std::uint16_t>(60'000 * q * (0.9 + 0.2 * random_.uniform()) / 1.1));
    call(validator.hotkey, weights);
  }
}

void Economy::live_a_day(Market& market) {
  market.demand_tao.push_back(0);
  if (market.demand_tao.size() > kDemandDays) market.demand_tao.erase(market.demand_tao.begin());
  if (const double spent = usage_on(market.plan, day()); spent > 0.01) {
    const chain::AddStakeBurn bought{market.creator.hotkey, market.netuid, rao(spent),
                                     std::nullopt};
    if (call(market.users, bought)) {
      market.demand_tao.back() += spent;
      market.usage_tao += spent;
    }
  }
  for (const Person& miner : market.miners)
    sell(EconomicRole::kMiner, market, miner, market.plan.miners_sell);
  for (const Person& validator : market.validators) {
    // Its stake is its seat: what it sells is of what it has beyond that.
    const double beyond =
        1 - market.plan.validator_stake_tao * kRao /
                std::max(1.0, static_cast<double>(rt::stake_of(state_, validator.hotkey,
                                                               validator.coldkey, market.netuid)));
    if (beyond > 0)
      sell(EconomicRole::kValidator, market, validator, market.plan.validators_sell * beyond);
  }
  sell(EconomicRole::kCreator, market, market.creator, market.plan.creator_sells);
}

// A day's return as a staker sees it: dividends for what is staked, and how far the others' buying
// and selling of the last days moves the price.
double Economy::attraction(const Market& market) const {
  const rt::Subnet& subnet = state_.subnets.at(market.netuid);
  double staked = 1;
  for (const Person& validator : market.validators)
    staked += tao(subnet.stake_of(validator.hotkey));
  const double to_stakers =
      0.41 * (1 - 0.18) * kBlocksPerDay * tao(subnet.economy.alpha_out_emission);
  double demand = 0;
  for (const double day : market.demand_tao) demand += day;
  demand /= std::max<double>(1, static_cast<double>(market.demand_tao.size()));
  return std::min(to_stakers / staked, 0.05) +
         scenario_.stakers.boldness * 2 * demand /
             std::max(1.0, tao(subnet.economy.pool.tao_reserve));
}

// Moves a share of what it holds where it likes least to where it likes most; not everybody likes
// the same.
void Economy::reconsider(Staker& staker) {
  std::vector<std::pair<double, Market*>> liked;
  for (Market& market : markets_)
    if (market.netuid != 0 && state_.subnets.at(market.netuid).emits())
      liked.emplace_back(attraction(market) + kTaste * (random_.uniform() - 0.5), &market);
  if (liked.empty()) return;
  std::stable_sort(liked.begin(), liked.end(),
                   [](const auto& a, const auto& b) { return a.first > b.first; });
  Market& best = *liked.front().second;
  for (auto it = liked.rbegin(); it != liked.rend() && it->second != &best; ++it) {
    Market& least = *it->second;
    const Person behind{staker.coldkey, validator_of(least, staker).hotkey, 0};
    const std::uint64_t alpha = rt::stake_of(state_, behind.hotkey, behind.coldkey, least.netuid);
    const auto amount =
        static_cast<std::uint64_t>(static_cast<double>(alpha) * 3 * scenario_.stakers.move_share);
    if (amount < kMinSale) continue;
    trade(EconomicRole::kStaker, least, behind,
          chain::RemoveStake{behind.hotkey, least.netuid, std::min(amount, alpha)});
    break;
  }
  const double free = tao(rt::spare_balance_of(state_, staker.coldkey)) - 0.01;
  const double spend = liked.front().first > 0
                           ? std::min(free, scenario_.stakers.tao * scenario_.stakers.move_share)
                           : 0;
  if (spend <= 0.01) return;
  const Person behind{staker.coldkey, validator_of(best, staker).hotkey, 0};
  trade(EconomicRole::kStaker, best, behind,
        chain::AddStake{behind.hotkey, best.netuid, rao(spend)});
}

void Economy::advance() {
  events_.clear();
  ByteWriter number;
  number.write(state_.block);
  rt::step_block(state_, events_, AccountId{}, tagged_hash("muster/economy-block", number.bytes()));
  if (const std::uint64_t emission = chain::block_emission(state_.issuance_rao);
      emission != last_emission_) {
    last_emission_ = emission;
    tell("halving: a block mints " + std::to_string(tao(emission)).substr(0, 6) + " TAO");
  }
  for (Market& market : markets_) {
    if (market.netuid == 0) {
      if (!market.over && market.plan.launch_day > 0 && day() >= market.plan.launch_day)
        launch(market);
      continue;
    }
    // Half a tempo after each epoch, so that nobody is late for the next one.
    const rt::Schedule& schedule = state_.subnets.at(market.netuid).schedule;
    if (state_.block == schedule.last_epoch_block + market.plan.tempo / 2u) weigh(market);
    if ((state_.block + market.netuid * 97u) % kBlocksPerDay == 0) live_a_day(market);
  }
  for (Staker& staker : stakers_) {
    if (state_.block < staker.next_block) continue;
    staker.next_block += static_cast<std::uint64_t>(scenario_.stakers.every_days * kBlocksPerDay);
    reconsider(staker);
  }
  const auto every =
      std::max<std::uint64_t>(1, static_cast<std::uint64_t>(scenario_.sample_days * kBlocksPerDay));
  if (state_.block % every == 0) sample();
}

}  // namespace muster::sim
