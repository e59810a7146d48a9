#include "chain/runtime/networks.h"

#include <algorithm>
#include <limits>

#include "chain/economy/burn_price.h"
#include "chain/economy/pruning.h"
#include "chain/economy/subnet_launch.h"
#include "chain/runtime/balances.h"
#include "chain/runtime/children.h"
#include "chain/runtime/neurons.h"
#include "chain/runtime/root_claims.h"
#include "chain/runtime/stakes.h"
#include "chain/runtime/staking.h"

namespace muster::chain::runtime {
namespace {

[[nodiscard]] bool passes_limit(std::uint64_t limit, std::uint64_t last, std::uint64_t block) {
  return last == 0 || saturating_sub(block, last) >= limit;
}

std::vector<U64F64> prices_of_subnets(const State& state) {
  std::vector<U64F64> prices;
  for (const auto& [netuid, subnet] : state.subnets)
    if (netuid != kRootNetuid) prices.push_back(price_of(state, netuid));
  return prices;
}

Netuid next_netuid(const State& state) {
  Netuid netuid = 1;
  while (state.exists(netuid)) ++netuid;
  return netuid;
}

// The lock's TAO becomes the pool; alpha to go with it is made at the median price.
void open_pool(const Context& context, Netuid netuid, std::uint64_t lock_rao, U64F64 price) {
  const LaunchReserves reserves =
      launch_reserves(lock_rao, context.network().network_lock_min_rao, price);
  SubnetEconomy& economy = context.edit(context.subnet(netuid).economy);
  economy.pool.tao_reserve = reserves.tao;
  economy.pool.alpha_reserve = reserves.alpha;
  economy.alpha_minted = reserves.alpha;
  economy.locked_rao = lock_rao;
  context.edit(context.state.stake_rao) += reserves.tao;
}

// ---- dissolving

// A holder's part of the pool's TAO.
struct Portion {
  AccountId coldkey;
  bool is_protocol = false;
  std::uint64_t alpha = 0;
  std::uint64_t rao = 0;
  Uint128 remainder = 0;
};

std::vector<Portion> alpha_holders(const Subnet& subnet) {
  std::vector<Portion> holders;
  for (const auto& [hotkey, stake] : subnet.stakes) {
    for (const auto& [coldkey, share] : stake.shares) {
      std::uint64_t alpha = value_of_share(stake.pool, share);
      if (alpha == 0) alpha = share.to_u64();
      if (alpha > 0) holders.push_back({coldkey, false, alpha, 0, 0});
    }
  }
  const SubnetEconomy& economy = subnet.economy;
  // Upstream counts the pool's alpha only for subnets that are newer than its introduction, at
  // block 0 here.
  const std::uint64_t protocol =
      subnet.registered_block > 0
          ? saturating_add(economy.pool.alpha_reserve, economy.protocol_alpha)
          : economy.protocol_alpha;
  if (protocol > 0) holders.push_back({subnet.owner_coldkey, true, protocol, 0, 0});
  return holders;
}

// Pro rata, rounded down; what is left goes one rao each by largest remainder.
void divide(std::vector<Portion>& portions, std::uint64_t pot_rao) {
  Uint128 total = 0;
  for (const Portion& portion : portions) total += portion.alpha;
  if (total == 0) return;
  std::uint64_t left = pot_rao;
  for (Portion& portion : portions) {
    const Uint128 product = Uint128{pot_rao} * portion.alpha;
    portion.rao = static_cast<std::uint64_t>(product / total);
    portion.remainder = product % total;
    left -= portion.rao;
  }
  if (left == 0) return;
  std::ranges::stable_sort(portions, std::greater<>(), &Portion::remainder);
  for (Portion& portion : portions) {
    if (left == 0) break;
    ++portion.rao;
    --left;
  }
}

void pay_out(const Context& context, Netuid netuid) {
  const Subnet& subnet = context.subnet(netuid);
  const std::uint64_t pot_rao = subnet.economy.pool.tao_reserve;
  std::uint64_t& staked = context.edit(context.state.stake_rao);
  staked = saturating_sub(staked, pot_rao);
  std::vector<Portion> portions = alpha_holders(subnet);
  divide(portions, pot_rao);
  for (const Portion& portion : portions) {
    if (portion.is_protocol || portion.rao == 0) continue;
    // What is too little to open an account with stays, and is recycled.
    if (transfer_from_subnet(context, netuid, portion.coldkey, portion.rao)) continue;
  }
  const AccountId account = subnet_account(netuid);
  recycle(context, account, spare_balance_of(context.state, account));
}

}  // namespace

std::uint64_t network_lock_cost(const State& state) {
  return lock_cost({state.last_lock_rao, state.last_network_block}, state.block,
                   lock_reduction_interval(state.network.lock_reduction_blocks,
                                           block_emission(state.issuance_rao)),
                   state.network.network_lock_min_rao);
}

std::optional<Netuid> network_to_prune(const State& state) {
  if (state.subnets.size() - 1 < state.network.subnet_limit) return std::nullopt;
  std::vector<PrunableSubnet> candidates;
  for (const auto& [netuid, subnet] : state.subnets)
    if (netuid != kRootNetuid)
      candidates.push_back(
          {netuid, fixed_from<U64F64>(subnet.economy.moving_price), subnet.registered_block});
  return subnet_to_prune(candidates, state.block, state.network.network_immunity_blocks);
}

Subnet new_subnet(std::uint64_t block, Netuid netuid, const SubnetParameters& parameters) {
  Subnet subnet;
  subnet.parameters = parameters;
  subnet.registered_block = block;
  subnet.schedule.last_epoch_block = first_epoch_anchor(block, netuid, parameters.tempo);
  subnet.economy.burn_decay_q32 = burn_decay_factor(parameters.burn_half_life_blocks);
  return subnet;
}

Outcome register_network(const Context& context, const AccountId& signer, const AccountId& hotkey) {
  State& state = context.state;
  MUSTER_ENSURE(find_hotkey(state, hotkey) == nullptr || owns_hotkey(state, signer, hotkey),
                kNonAssociatedColdKey);
  MUSTER_ENSURE(!is_subnet_account(hotkey), kCannotUseSystemAccount);
  MUSTER_ENSURE(passes_limit(context.network().network_rate_limit_blocks, state.last_network_block,
                             state.block),
                kNetworkTxRateLimitExceeded);
  const bool is_full = state.subnets.size() - 1 >= context.network().subnet_limit;
  const std::optional<Netuid> pruned = network_to_prune(state);
  MUSTER_ENSURE(!is_full || pruned, kSubnetLimitReached);
  const std::uint64_t cost = network_lock_cost(state);
  MUSTER_ENSURE(cost <= balance_of(state, signer), kCannotAffordLockCost);

  if (pruned) dissolve_network(context, *pruned);
  const Netuid netuid = pruned.value_or(next_netuid(state));
  const U64F64 price = median_price(prices_of_subnets(state));
  SubnetParameters parameters;
  parameters.emission_enabled = false;
  context.journal.entry(state.subnets, netuid) = new_subnet(state.block, netuid, parameters);
  MUSTER_ATTEMPT_VALUE(const std::uint64_t lock_rao,
                       transfer_to_subnet(context, netuid, signer, cost));
  context.edit(state.last_lock_rao) = lock_rao;
  context.edit(state.last_network_block) = state.block;
  MUSTER_ATTEMPT(associate_hotkey(context, signer, hotkey));
  Subnet& subnet = context.subnet(netuid);
  subnet.owner_coldkey = signer;
  subnet.owner_hotkey = hotkey;
  append_neuron(context, subnet, hotkey);
  open_pool(context, netuid, lock_rao, price);
  context.tell(NetworkAdded{netuid});
  adopt_by_root_validators(context, netuid);
  return kDone;
}

Outcome start_call(const Context& context, const AccountId& signer, Netuid netuid) {
  Subnet* subnet = context.find(netuid);
  MUSTER_ENSURE(subnet != nullptr, kSubnetNotExists);
  MUSTER_ENSURE(subnet->owner_coldkey == signer, kBadOrigin);
  MUSTER_ENSURE(!subnet->first_emission_block, kFirstEmissionBlockNumberAlreadySet);
  MUSTER_ENSURE(context.block() >= saturating_add(subnet->registered_block,
                                                  context.network().start_call_delay_blocks),
                kNeedWaitingMoreBlocksToStarCall);
  context.edit(subnet->first_emission_block) = context.block() + 1;
  context.edit(subnet->subtoken_enabled) = true;
  if (context.network().start_enables_emission)
    context.edit(subnet->parameters.emission_enabled) = true;
  return kDone;
}

void dissolve_network(const Context& context, Netuid netuid) {
  forget_root_claims(context, netuid);
  pay_out(context, netuid);
  context.journal.erase(context.state.subnets, netuid);
  context.tell(NetworkRemoved{netuid});
}

Outcome register_neuron(const Context& context, const AccountId& signer, Netuid netuid,
                        const AccountId& hotkey, std::optional<std::uint64_t> limit_rao) {
  State& state = context.state;
  MUSTER_ENSURE(netuid != kRootNetuid, kRegistrationNotPermittedOnRootSubnet);
  Subnet* subnet = context.find(netuid);
  MUSTER_ENSURE(subnet != nullptr, kSubnetNotExists);
  const std::uint64_t cost = subnet->economy.burn_rao;
  MUSTER_ENSURE(!limit_rao || cost <= *limit_rao, kRegistrationPriceLimitExceeded);
  MUSTER_ENSURE(subnet->parameters.registration_allowed, kSubNetRegistrationDisabled);
  MUSTER_ENSURE(!subnet->neurons.uid_of(hotkey), kHotKeyAlreadyRegisteredInSubNet);
  MUSTER_ENSURE(cost <= balance_of(state, signer), kNotEnoughBalanceToStake);
  MUSTER_ATTEMPT(associate_hotkey(context, signer, hotkey));
  MUSTER_ENSURE(owns_hotkey(state, signer, hotkey), kNonAssociatedColdKey);
  const bool is_full = subnet->neurons.count() >= subnet->parameters.uids_max;
  const auto replaced = is_full ? uid_to_replace(state, *subnet) : std::nullopt;
  MUSTER_ENSURE(!is_full || replaced, kNoNeuronIdAvailable);

  MUSTER_ATTEMPT_VALUE(const std::uint64_t paid_rao,
                       transfer_to_subnet(context, netuid, signer, cost));
  MUSTER_ATTEMPT_VALUE(const Swap swap,
                       buy_alpha(context, netuid, paid_rao, kPriceLimitMax, SwapFee::kCharged));
  recycle_alpha(context, netuid, swap.amount_out);
  std::uint16_t uid = 0;
  if (replaced) {
    uid = *replaced;
    replace_neuron(context, *subnet, uid, hotkey);
  } else {
    uid = append_neuron(context, *subnet, hotkey);
  }
  SubnetEconomy& economy = context.edit(subnet->economy);
  const SubnetParameters& parameters = subnet->parameters;
  economy.burn_rao = burn_after_registration(economy.burn_rao, parameters.burn_increase,
                                             {parameters.burn_min_rao, parameters.burn_max_rao});
  economy.recycled_rao = saturating_add(economy.recycled_rao, cost);
  ++context.edit(subnet->registrations_this_block);
  context.tell(NeuronRegistered{netuid, uid, hotkey});
  return kDone;
}

Outcome root_register(const Context& context, const AccountId& signer, const AccountId& hotkey) {
  // Of root: at most one registration per block, three between its epochs.
  constexpr std::uint16_t kPerBlockMax = 1;
  constexpr std::uint16_t kPerIntervalMax = 3;
  Subnet& root = context.subnet(kRootNetuid);
  MUSTER_ENSURE(root.registrations_this_block < kPerBlockMax, kTooManyRegistrationsThisBlock);
  MUSTER_ENSURE(root.registrations_this_interval < kPerIntervalMax,
                kTooManyRegistrationsThisInterval);
  MUSTER_ENSURE(!root.neurons.uid_of(hotkey), kHotKeyAlreadyRegisteredInSubNet);
  MUSTER_ATTEMPT(associate_hotkey(context, signer, hotkey));
  std::uint16_t uid = 0;
  if (root.neurons.count() < root.parameters.uids_max) {
    uid = append_neuron(context, root, hotkey);
  } else {
    std::uint64_t lowest = std::numeric_limits<std::uint64_t>::max();
    for (std::uint16_t candidate = 0; candidate < root.neurons.count(); ++candidate) {
      const std::uint64_t stake = root.stake_of(root.neurons.hotkeys[candidate]);
      if (stake < lowest) {
        lowest = stake;
        uid = candidate;
      }
    }
    MUSTER_ENSURE(lowest < root.stake_of(hotkey), kStakeTooLowForRoot);
    replace_neuron(context, root, uid, hotkey);
  }
  become_delegate(context, hotkey);
  ++context.edit(root.registrations_this_interval);
  ++context.edit(root.registrations_this_block);
  context.tell(NeuronRegistered{kRootNetuid, uid, hotkey});
  return kDone;
}

}  // namespace muster::chain::runtime
