#include "chain/runtime/staking.h"

#include <algorithm>
#include <limits>

#include "chain/runtime/balances.h"
#include "chain/runtime/root_claims.h"

namespace muster::chain::runtime {
namespace {

constexpr std::uint64_t kAny = std::numeric_limits<std::uint64_t>::max();

// Larger inputs are refused before they are looked at.
[[nodiscard]] bool is_within_swap_limit(const State& state, Netuid netuid, Side side,
                                        std::uint64_t amount) {
  const auto subnet = state.subnets.find(netuid);
  if (netuid == kRootNetuid || subnet == state.subnets.end()) return true;
  const Pool& pool = subnet->second.economy.pool;
  return amount <= saturating_mul(side == Side::kBuy ? pool.tao_reserve : pool.alpha_reserve,
                                  kInputReservesMax);
}

// The largest input, the fee included, that meets the price limit.
[[nodiscard]] Attempt<std::uint64_t> amount_to_limit(const State& state, Netuid netuid, Side side,
                                                     std::uint64_t limit_price) {
  if (netuid == kRootNetuid) {
    const bool met = side == Side::kBuy ? limit_price >= kPriceScale : limit_price <= kPriceScale;
    return met ? kAny : std::uint64_t{0};
  }
  const auto subnet = state.subnets.find(netuid);
  MUSTER_ENSURE(subnet != state.subnets.end(), kSubnetNotExists);
  const Pool& pool = subnet->second.economy.pool;
  const std::uint64_t most =
      saturating_mul(side == Side::kBuy ? pool.tao_reserve : pool.alpha_reserve, kInputReservesMax);
  MUSTER_ATTEMPT_VALUE(const Swap swap,
                       quote(state, netuid, side, most, limit_price, SwapFee::kCharged));
  return saturating_add(swap.amount_in, swap.fee);
}

struct Limits {
  std::uint64_t most = 0;
  bool allow_partial = false;
};

Outcome check_adding(const Context& context, const StakeChange& change, Limits limits) {
  const State& state = context.state;
  const Subnet* subnet = context.find(change.netuid);
  MUSTER_ENSURE(subnet != nullptr, kSubnetNotExists);
  MUSTER_ENSURE(subnet->subtoken_enabled, kSubtokenDisabled);
  const std::uint64_t least = context.network().stake_min_rao;
  const auto least_swap =
      quote(state, change.netuid, Side::kBuy, least, kPriceLimitMax, SwapFee::kCharged);
  const std::uint64_t fee = least_swap.succeeded() ? least_swap.value().fee
                            : change.netuid == kRootNetuid
                                ? 0
                                : swap_fee(least, subnet->parameters.fee_rate);
  std::uint64_t amount = change.amount;
  MUSTER_ENSURE(amount >= saturating_add(least, fee), kAmountTooLow);
  if (!limits.allow_partial) MUSTER_ENSURE(amount <= limits.most, kSlippageTooHigh);
  amount = std::min(amount, limits.most);
  MUSTER_ENSURE(amount <= balance_of(state, change.coldkey), kNotEnoughBalanceToStake);
  MUSTER_ENSURE(find_hotkey(state, change.hotkey) != nullptr, kHotKeyAccountNotExists);
  const auto swap =
      quote(state, change.netuid, Side::kBuy, amount, kPriceLimitMax, SwapFee::kCharged);
  MUSTER_ENSURE(swap.succeeded(), kInsufficientLiquidity);
  MUSTER_ENSURE(swap.value().amount_in >= least, kAmountTooLow);
  MUSTER_ENSURE(swap.value().amount_out > 0, kInsufficientLiquidity);
  MUSTER_ENSURE(increase_moves_shares(state, change.hotkey, change.netuid, swap.value().amount_out),
                kInsufficientLiquidity);
  return kDone;
}

Outcome check_removing(const Context& context, const StakeChange& change, Limits limits) {
  const State& state = context.state;
  MUSTER_ENSURE(context.find(change.netuid) != nullptr, kSubnetNotExists);
  MUSTER_ENSURE(change.amount > 0, kAmountTooLow);
  const std::uint64_t staked = stake_of(state, change.hotkey, change.coldkey, change.netuid);
  MUSTER_ENSURE(staked >= change.amount, kNotEnoughStakeToWithdraw);
  const auto swap =
      quote(state, change.netuid, Side::kSell, change.amount, kPriceLimitMin, SwapFee::kCharged);
  MUSTER_ENSURE(swap.succeeded(), kInsufficientLiquidity);
  MUSTER_ENSURE(
      staked == change.amount || swap.value().amount_out >= context.network().stake_min_rao,
      kAmountTooLow);
  if (!limits.allow_partial) MUSTER_ENSURE(change.amount <= limits.most, kSlippageTooHigh);
  MUSTER_ENSURE(find_hotkey(state, change.hotkey) != nullptr, kHotKeyAccountNotExists);
  return kDone;
}

// A nomination that has become too small is unstaked, or lost where even that fails.
void clear_small_nomination(const Context& context, const StakeChange& change) {
  State& state = context.state;
  if (owns_hotkey(state, change.coldkey, change.hotkey)) return;
  const NetworkParameters& network = context.network();
  const std::uint64_t least_rao =
      saturating_mul(network.stake_min_rao, network.nominator_stake_min_parts) / 1'000'000;
  const std::uint64_t least = integer_from<std::uint64_t>(
      safe_div(fixed_from<U64F64>(least_rao), price_of(state, change.netuid)));
  const std::uint64_t staked = stake_of(state, change.hotkey, change.coldkey, change.netuid);
  if (staked == 0 || staked >= least) return;
  const StakeChange all{change.coldkey, change.hotkey,  change.netuid,
                        staked,         kPriceLimitMin, SwapFee::kCharged};
  if (!unstake_from_subnet(context, all).succeeded())
    decrease_stake(context, change.hotkey, change.coldkey, change.netuid,
                   stake_of(state, change.hotkey, change.coldkey, change.netuid));
}

// Too little stake ends what a hotkey has planned for its children.
void drop_children_plans_if_poor(const Context& context, const AccountId& hotkey) {
  if (total_stake_of(context.state, hotkey) >= context.network().stake_threshold) return;
  for (auto& [netuid, subnet] : context.state.subnets)
    context.journal.erase(subnet.families.pending, hotkey);
}

Outcome unstake_checked(const Context& context, const StakeChange& change) {
  const auto rao = unstake_from_subnet(context, change);
  if (!rao.succeeded()) return rao.error();
  clear_small_nomination(context, change);
  drop_children_plans_if_poor(context, change.hotkey);
  return kDone;
}

// From every subnet whose token is enabled, where it is possible; the rao received.
Attempt<std::uint64_t> unstake_everywhere(const Context& context, const AccountId& signer,
                                          const AccountId& hotkey, bool and_root) {
  MUSTER_ENSURE(find_hotkey(context.state, hotkey) != nullptr, kHotKeyAccountNotExists);
  std::uint64_t total_rao = 0;
  for (const auto& [netuid, subnet] : context.state.subnets) {
    if (!subnet.subtoken_enabled || (netuid == kRootNetuid && !and_root)) continue;
    const StakeChange change{signer,         hotkey,
                             netuid,         stake_of(context.state, hotkey, signer, netuid),
                             kPriceLimitMin, SwapFee::kCharged};
    if (check_removing(context, change, {change.amount, false})) continue;
    MUSTER_ATTEMPT_VALUE(const std::uint64_t rao, unstake_from_subnet(context, change));
    total_rao = saturating_add(total_rao, rao);
    clear_small_nomination(context, change);
  }
  return total_rao;
}

}  // namespace

Attempt<std::uint64_t> add_stake(const Context& context, const AccountId& signer,
                                 const AddStake& call) {
  MUSTER_ENSURE(is_within_swap_limit(context.state, call.netuid, Side::kBuy, call.amount_rao),
                kInsufficientLiquidity);
  const StakeChange change{signer,          call.hotkey,    call.netuid,
                           call.amount_rao, kPriceLimitMax, SwapFee::kCharged};
  MUSTER_ATTEMPT(check_adding(context, change, {call.amount_rao, false}));
  return stake_into_subnet(context, change);
}

Attempt<std::uint64_t> add_stake_limit(const Context& context, const AccountId& signer,
                                       const AddStakeLimit& call) {
  MUSTER_ENSURE(is_within_swap_limit(context.state, call.netuid, Side::kBuy, call.amount_rao),
                kInsufficientLiquidity);
  MUSTER_ATTEMPT_VALUE(const std::uint64_t most, amount_to_limit(context.state, call.netuid,
                                                                 Side::kBuy, call.limit_price_rao));
  StakeChange change{signer,          call.hotkey,          call.netuid,
                     call.amount_rao, call.limit_price_rao, SwapFee::kCharged};
  MUSTER_ATTEMPT(check_adding(context, change, {most, call.allow_partial}));
  if (owner_of(context.state, call.hotkey) != signer) become_delegate(context, call.hotkey);
  change.amount = std::min(call.amount_rao, most);
  return stake_into_subnet(context, change);
}

Outcome remove_stake(const Context& context, const AccountId& signer, const RemoveStake& call) {
  const Subnet* subnet = context.find(call.netuid);
  MUSTER_ENSURE(subnet != nullptr && subnet->subtoken_enabled, kSubtokenDisabled);
  const std::uint64_t alpha =
      std::min(call.amount_alpha, stake_of(context.state, call.hotkey, signer, call.netuid));
  MUSTER_ENSURE(is_within_swap_limit(context.state, call.netuid, Side::kSell, alpha),
                kInsufficientLiquidity);
  const StakeChange change{signer, call.hotkey,    call.netuid,
                           alpha,  kPriceLimitMin, SwapFee::kCharged};
  MUSTER_ATTEMPT(check_removing(context, change, {alpha, false}));
  return unstake_checked(context, change);
}

Outcome remove_stake_limit(const Context& context, const AccountId& signer,
                           const RemoveStakeLimit& call) {
  MUSTER_ENSURE(is_within_swap_limit(context.state, call.netuid, Side::kSell, call.amount_alpha),
                kInsufficientLiquidity);
  MUSTER_ATTEMPT_VALUE(
      const std::uint64_t most,
      amount_to_limit(context.state, call.netuid, Side::kSell, call.limit_price_rao));
  StakeChange change{
      signer, call.hotkey, call.netuid, call.amount_alpha, call.limit_price_rao, SwapFee::kCharged};
  MUSTER_ATTEMPT(check_removing(context, change, {most, call.allow_partial}));
  change.amount = std::min(call.amount_alpha, most);
  return unstake_checked(context, change);
}

Outcome unstake_all(const Context& context, const AccountId& signer, const AccountId& hotkey) {
  const auto rao = unstake_everywhere(context, signer, hotkey, true);
  if (!rao.succeeded()) return rao.error();
  return kDone;
}

Outcome unstake_all_alpha(const Context& context, const AccountId& signer,
                          const AccountId& hotkey) {
  const auto rao = unstake_everywhere(context, signer, hotkey, false);
  if (!rao.succeeded()) return rao.error();
  const auto staked = stake_into_subnet(
      context, {signer, hotkey, kRootNetuid, rao.value(), kPriceLimitMax, SwapFee::kCharged});
  if (!staked.succeeded()) return staked.error();
  return kDone;
}

Outcome destroy_alpha(const Context& context, const AccountId& signer, const AccountId& hotkey,
                      Netuid netuid, std::uint64_t alpha, AlphaFate fate) {
  const Subnet* subnet = context.find(netuid);
  MUSTER_ENSURE(subnet != nullptr, kSubnetNotExists);
  MUSTER_ENSURE(netuid != kRootNetuid, kCannotBurnOrRecycleOnRootSubnet);
  MUSTER_ENSURE(subnet->subtoken_enabled, kSubtokenDisabled);
  MUSTER_ENSURE(find_hotkey(context.state, hotkey) != nullptr, kHotKeyAccountNotExists);
  alpha = std::min(alpha, stake_of(context.state, hotkey, signer, netuid));
  MUSTER_ENSURE(subnet->economy.alpha_out >= alpha, kInsufficientLiquidity);
  decrease_stake(context, hotkey, signer, netuid, alpha);
  if (fate == AlphaFate::kRecycled) {
    recycle_alpha(context, netuid, alpha);
  } else {
    burn_alpha(context, netuid, alpha);
  }
  return kDone;
}

}  // namespace muster::chain::runtime
