#include "chain/runtime/views.h"

#include "chain/runtime/balances.h"
#include "chain/runtime/emission.h"
#include "chain/runtime/neurons.h"
#include "chain/runtime/payout.h"
#include "chain/runtime/stakes.h"
#include "chain/runtime/weights.h"

namespace muster::chain::runtime {
namespace {

NeuronView view_of(const State& state, const Subnet& subnet, const Mechanism& mechanism,
                   std::uint16_t uid) {
  const Neurons& neurons = subnet.neurons;
  NeuronView view;
  view.uid = uid;
  view.hotkey = neurons.hotkeys[uid];
  view.coldkey = owner_of(state, view.hotkey);
  view.active = neurons.active[uid];
  view.validator_permit = neurons.permits[uid];
  view.last_update = mechanism.last_update[uid];
  view.block_at_registration = neurons.registration_blocks[uid];
  view.emission = neurons.emission[uid];
  view.incentive = mechanism.incentive[uid];
  view.dividends = neurons.dividends[uid];
  view.consensus = neurons.consensus[uid];
  view.validator_trust = neurons.validator_trust[uid];
  view.alpha_stake = inherited_alpha(subnet, view.hotkey);
  view.root_stake = inherited_root(state, subnet, view.hotkey);
  view.total_stake = integer_from<std::uint64_t>(
      fixed_from<I64F64>(view.alpha_stake) +
      fixed_from<I64F64>(view.root_stake) * fixed_from<I64F64>(tao_weight_of(state.network)));
  const auto axon = subnet.axons.find(view.hotkey);
  if (axon != subnet.axons.end()) view.axon = axon->second;
  return view;
}

void check_alpha(Netuid netuid, const Subnet& subnet, std::vector<std::string>& violations) {
  const std::string name = "subnet " + std::to_string(netuid) + ": ";
  const SubnetEconomy& economy = subnet.economy;
  if (economy.pool.alpha_reserve + economy.alpha_out !=
      economy.alpha_minted - economy.alpha_recycled)
    violations.push_back(name + "alpha in and out isn't what was minted and not recycled");
  Uint128 held = Uint128{economy.pending_server} + economy.pending_validator +
                 economy.pending_root + economy.pending_owner + economy.alpha_burned;
  for (const auto& [hotkey, stake] : subnet.stakes) held += stake.pool.total;
  if (held > economy.alpha_out) violations.push_back(name + "more alpha is held than is out");
  if (economy.alpha_minted - economy.alpha_recycled > kIssuanceMax)
    violations.push_back(name + "over 21e15 alpha-rao");
}

// Shares are rounded down one by one, so that their sum is short of the total by at most one each;
// pools whose holders all left keep what came later.
void check_shares(Netuid netuid, const Subnet& subnet, std::vector<std::string>& violations) {
  for (const auto& [hotkey, stake] : subnet.stakes) {
    Uint128 sum = 0;
    for (const auto& [coldkey, share] : stake.shares) sum += value_of_share(stake.pool, share);
    const bool is_held = !stake.shares.empty() && !stake.pool.denominator.is_zero();
    // Twelve digits of a share are exact; the rest may be cut off by each change of it.
    const Uint128 slack = stake.shares.size() + stake.pool.total / 1'000'000'000'000 + 1;
    if (sum > stake.pool.total + slack || (is_held && sum + slack < stake.pool.total))
      violations.push_back("subnet " + std::to_string(netuid) + ": shares of " + hotkey.brief() +
                           " don't sum to its stake");
  }
}

}  // namespace

std::optional<Metagraph> metagraph(const State& state, Netuid netuid, MechanismId mechanism) {
  const auto found = state.subnets.find(netuid);
  if (found == state.subnets.end() || mechanism >= found->second.mechanisms.size())
    return std::nullopt;
  const Subnet& subnet = found->second;
  Metagraph view;
  view.netuid = netuid;
  view.mechanism = mechanism;
  view.block = state.block;
  view.owner_coldkey = subnet.owner_coldkey;
  view.owner_hotkey = subnet.owner_hotkey;
  view.parameters = subnet.parameters;
  view.last_epoch_block = subnet.schedule.last_epoch_block;
  view.next_epoch_block = next_epoch_block(clock_of(subnet));
  view.epoch_index = subnet.schedule.epoch_index;
  view.blocks_since_last_step = subnet.schedule.blocks_since_last_step;
  view.pool = subnet.economy.pool;
  view.price = price_of(state, netuid);
  view.moving_price = subnet.economy.moving_price;
  view.alpha_out = subnet.economy.alpha_out;
  view.burn_rao = subnet.economy.burn_rao;
  for (std::size_t uid = 0; uid < subnet.neurons.count(); ++uid)
    view.neurons.push_back(
        view_of(state, subnet, subnet.mechanisms[mechanism], static_cast<std::uint16_t>(uid)));
  return view;
}

std::vector<SubnetInfo> subnet_infos(const State& state) {
  std::map<Netuid, U64F64> shares;
  for (const auto& [netuid, share] : emission_shares_of(state)) shares[netuid] = share;
  std::vector<SubnetInfo> infos;
  for (const auto& [netuid, subnet] : state.subnets) {
    if (netuid == kRootNetuid) continue;
    const SubnetEconomy& economy = subnet.economy;
    SubnetInfo info;
    info.netuid = netuid;
    info.owner_coldkey = subnet.owner_coldkey;
    info.owner_hotkey = subnet.owner_hotkey;
    info.registered_block = subnet.registered_block;
    info.started = subnet.emits();
    info.neurons = subnet.neurons.count();
    info.tempo = subnet.parameters.tempo;
    info.next_epoch_block = next_epoch_block(clock_of(subnet));
    info.pool = economy.pool;
    info.price = chain::price_of(economy.pool);
    info.moving_price = economy.moving_price;
    info.emission_share = shares[netuid];
    info.alpha_out = economy.alpha_out;
    info.burn_rao = economy.burn_rao;
    info.pending_alpha = economy.pending_server + economy.pending_validator + economy.pending_root +
                         economy.pending_owner;
    info.tao_in_emission = economy.tao_in_emission;
    info.alpha_in_emission = economy.alpha_in_emission;
    info.alpha_out_emission = economy.alpha_out_emission;
    infos.push_back(info);
  }
  return infos;
}

std::vector<StakeInfo> stakes_of_coldkey(const State& state, const AccountId& coldkey) {
  std::vector<StakeInfo> infos;
  const auto record = state.coldkeys.find(coldkey);
  if (record == state.coldkeys.end()) return infos;
  for (const AccountId& hotkey : record->second.staking_hotkeys) {
    for (const auto& [netuid, subnet] : state.subnets) {
      const std::uint64_t amount = stake_of(state, hotkey, coldkey, netuid);
      if (amount == 0) continue;
      infos.push_back(
          {hotkey, netuid, amount,
           integer_from<std::uint64_t>(fixed_from<U64F64>(amount) * price_of(state, netuid))});
    }
  }
  return infos;
}

HalvingInfo halving_info(const State& state) {
  HalvingInfo info;
  info.issuance_rao = state.issuance_rao;
  info.block_emission_rao = block_emission(state.issuance_rao);
  while (info.halvings < 30 && issuance_at_halving(info.halvings + 1) <= state.issuance_rao)
    ++info.halvings;
  info.next_issuance_rao = issuance_at_halving(info.halvings + 1);
  const std::uint64_t left = saturating_sub(info.next_issuance_rao, state.issuance_rao);
  if (info.block_emission_rao > 0)
    info.blocks_left = (left + info.block_emission_rao - 1) / info.block_emission_rao;
  return info;
}

std::vector<std::string> find_violations(const State& state) {
  std::vector<std::string> violations;
  Uint128 balances = 0;
  for (const auto& [account, content] : state.accounts) {
    balances += content.free_rao;
    if (content.free_rao > 0 && content.free_rao < state.network.existential_deposit_rao)
      violations.push_back("account " + account.brief() + " lives under the existential deposit");
  }
  if (balances != state.issuance_rao)
    violations.push_back("the issuance isn't the sum of balances");
  if (state.issuance_rao > kIssuanceMax) violations.push_back("over 21e15 rao");
  for (const auto& [netuid, subnet] : state.subnets) {
    const std::uint64_t held = balance_of(state, subnet_account(netuid));
    // A lock may have been taken from the last rao of an account, all but its existential deposit.
    if (saturating_add(held, state.network.existential_deposit_rao) <
        subnet.economy.pool.tao_reserve)
      violations.push_back("subnet " + std::to_string(netuid) + "'s account lacks TAO of its pool");
    if (netuid != kRootNetuid) check_alpha(netuid, subnet, violations);
    check_shares(netuid, subnet, violations);
  }
  return violations;
}

}  // namespace muster::chain::runtime
