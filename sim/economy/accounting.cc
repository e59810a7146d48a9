// Who holds what, and who was paid what.
#include <algorithm>

#include "chain/economy/block_emission.h"
#include "chain/runtime/balances.h"
#include "chain/runtime/stakes.h"
#include "chain/runtime/views.h"
#include "sim/economy/economy.h"

namespace muster::sim {
namespace {

namespace rt = chain::runtime;

constexpr double kRao = 1e9;

double tao(std::uint64_t amount) { return static_cast<double>(amount) / kRao; }
std::size_t index_of(EconomicRole role) { return static_cast<std::size_t>(role); }

}  // namespace

double Economy::price(chain::Netuid netuid) const {
  return static_cast<double>(rt::price_of(state_, netuid).bits) * 0x1p-64;
}

// Behind a market's validators stakers are, each behind one.
std::vector<Economy::Holding> Economy::holdings_on(const Market& market) const {
  std::vector<Holding> holdings{
      {EconomicRole::kCreator, market.creator.coldkey, market.creator.hotkey}};
  for (const Person& miner : market.miners)
    holdings.push_back({EconomicRole::kMiner, miner.coldkey, miner.hotkey});
  for (const Person& validator : market.validators)
    holdings.push_back({EconomicRole::kValidator, validator.coldkey, validator.hotkey});
  for (const Staker& staker : stakers_)
    holdings.push_back(
        {EconomicRole::kStaker, staker.coldkey, validator_of(market, staker).hotkey});
  return holdings;
}

const Economy::Person& Economy::validator_of(const Market& market, const Staker& staker) const {
  return market.validators[staker.coldkey.bytes[0] % market.validators.size()];
}

// Pay is what a role has more of a subnet's alpha without having bought it.
void Economy::settle_pay() {
  for (std::size_t m = 0; m < markets_.size(); ++m) {
    const Market& market = markets_[m];
    std::array<double, kEconomicRoles> held{};
    if (market.netuid != 0)
      for (const Holding& holding : holdings_on(market))
        held[index_of(holding.role)] +=
            tao(rt::stake_of(state_, holding.hotkey, holding.coldkey, market.netuid));
    for (std::size_t role = 0; role < kEconomicRoles; ++role) {
      AlphaAccount& account = accounts_[m][role];
      if (market.netuid != 0)
        paid_tao_[role] += (held[role] - account.held - account.bought) * price(market.netuid);
      account = {held[role], 0};
    }
  }
}

void Economy::note_trade(EconomicRole role, const Market& market, double alpha) {
  accounts_[static_cast<std::size_t>(&market - markets_.data())][index_of(role)].bought += alpha;
}

void Economy::sample() {
  settle_pay();
  Sample sample;
  sample.day = day();
  sample.block = state_.block;
  sample.issuance_tao = tao(state_.issuance_rao);
  sample.tao_per_block = tao(chain::block_emission(state_.issuance_rao));
  const auto free = [&](EconomicRole role, const chain::AccountId& coldkey) {
    sample.roles[index_of(role)].holdings_tao += tao(rt::balance_of(state_, coldkey));
  };
  const auto infos = rt::subnet_infos(state_);
  for (std::size_t m = 0; m < markets_.size(); ++m) {
    const Market& market = markets_[m];
    free(EconomicRole::kCreator, market.creator.coldkey);
    for (const Person& miner : market.miners) free(EconomicRole::kMiner, miner.coldkey);
    for (const Person& validator : market.validators)
      free(EconomicRole::kValidator, validator.coldkey);
    if (market.netuid == 0) continue;
    const auto info = std::find_if(infos.begin(), infos.end(),
                                   [&](const auto& one) { return one.netuid == market.netuid; });
    const double at = price(market.netuid);
    for (std::size_t role = 0; role < kEconomicRoles; ++role)
      sample.roles[role].holdings_tao += accounts_[m][role].held * at;
    sample.subnets.push_back(
        {market.plan.name, market.netuid, at,
         static_cast<double>(info->moving_price.bits) * 0x1p-32,
         static_cast<double>(info->emission_share.bits) * 0x1p-64, tao(info->pool.tao_reserve),
         accounts_[m][index_of(EconomicRole::kStaker)].held * at, market.usage_tao});
  }
  for (const Staker& staker : stakers_) {
    free(EconomicRole::kStaker, staker.coldkey);
    sample.roles[index_of(EconomicRole::kStaker)].holdings_tao +=
        tao(rt::stake_of(state_, root_validator_.hotkey, staker.coldkey, 0));
  }
  for (std::size_t role = 0; role < kEconomicRoles; ++role)
    sample.roles[role].paid_tao = paid_tao_[role];
  history_.samples.push_back(std::move(sample));
}

}  // namespace muster::sim
