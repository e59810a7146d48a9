// Moving stake between hotkeys, coldkeys and subnets.
#include <algorithm>
#include <limits>

#include "chain/runtime/balances.h"
#include "chain/runtime/root_claims.h"
#include "chain/runtime/staking.h"

namespace muster::chain::runtime {
namespace {

constexpr std::uint64_t kAny = std::numeric_limits<std::uint64_t>::max();

// The input, the fee included, at which the price meets the limit.
Attempt<std::uint64_t> amount_to_limit(const State& state, Netuid netuid, Side side,
                                       std::uint64_t limit_price) {
  const Pool& pool = state.subnets.at(netuid).economy.pool;
  const std::uint64_t most =
      saturating_mul(side == Side::kBuy ? pool.tao_reserve : pool.alpha_reserve, kInputReservesMax);
  MUSTER_ATTEMPT_VALUE(const Swap swap,
                       quote(state, netuid, side, most, limit_price, SwapFee::kCharged));
  return saturating_add(swap.amount_in, swap.fee);
}

// Upstream's estimate for two pools of equal weights: solves the two swaps for the ratio that is
// asked for.
std::uint64_t amount_between_pools(const State& state, const StakeMove& move,
                                   std::uint64_t limit_price) {
  const Pool& from = state.subnets.at(move.from_netuid).economy.pool;
  const Pool& to = state.subnets.at(move.to_netuid).economy.pool;
  if (from.tao_reserve == 0 || to.tao_reserve == 0 || from.alpha_reserve == 0 ||
      to.alpha_reserve == 0)
    return 0;
  const U64F64 limit = safe_div(fixed_from<U64F64>(limit_price), fixed_from<U64F64>(kPriceScale));
  if (limit > safe_div(price_of(state, move.from_netuid), price_of(state, move.to_netuid)))
    return 0;
  if (limit_price == 0) return kAny;
  const U64F64 from_tao = fixed_from<U64F64>(from.tao_reserve);
  const U64F64 to_tao = fixed_from<U64F64>(to.tao_reserve);
  const U64F64 both = to_tao + from_tao;
  return integer_from<std::uint64_t>(
      safe_div(fixed_from<U64F64>(to.alpha_reserve) * safe_div(from_tao, both), limit) -
      fixed_from<U64F64>(from.alpha_reserve) * safe_div(to_tao, both));
}

Attempt<std::uint64_t> most_to_move(const Context& context, const StakeMove& move) {
  if (move.from_netuid == move.to_netuid || !move.limit_price) return move.alpha;
  const State& state = context.state;
  MUSTER_ENSURE(state.exists(move.from_netuid) && state.exists(move.to_netuid), kSubnetNotExists);
  const std::uint64_t limit_price = *move.limit_price;
  if (move.to_netuid == kRootNetuid)
    return amount_to_limit(state, move.from_netuid, Side::kSell, limit_price);
  if (move.from_netuid != kRootNetuid) return amount_between_pools(state, move, limit_price);
  if (limit_price == 0) return kAny;
  const U64F64 scale = fixed_from<U64F64>(kPriceScale);
  const auto price =
      integer_from<std::uint64_t>(safe_div(scale, fixed_from<U64F64>(limit_price)) * scale);
  return amount_to_limit(state, move.to_netuid, Side::kBuy, price);
}

Outcome check_move(const Context& context, const StakeMove& move, std::uint64_t most) {
  const State& state = context.state;
  const bool crosses = move.from_netuid != move.to_netuid;
  MUSTER_ENSURE(
      crosses || move.from_coldkey != move.to_coldkey || move.from_hotkey != move.to_hotkey,
      kSameNetuid);
  const Subnet* from = context.find(move.from_netuid);
  const Subnet* to = context.find(move.to_netuid);
  MUSTER_ENSURE(from != nullptr && to != nullptr, kSubnetNotExists);
  MUSTER_ENSURE(from->subtoken_enabled && to->subtoken_enabled, kSubtokenDisabled);
  MUSTER_ENSURE(find_hotkey(state, move.from_hotkey) != nullptr, kHotKeyAccountNotExists);
  MUSTER_ENSURE(find_hotkey(state, move.to_hotkey) != nullptr, kHotKeyAccountNotExists);
  MUSTER_ENSURE(
      move.alpha <= stake_of(state, move.from_hotkey, move.from_coldkey, move.from_netuid),
      kNotEnoughStakeToWithdraw);
  if (crosses) {
    const auto swap =
        quote(state, move.from_netuid, Side::kSell, move.alpha, kPriceLimitMin, SwapFee::kCharged);
    MUSTER_ENSURE(swap.succeeded(), kInsufficientLiquidity);
    MUSTER_ENSURE(swap.value().amount_out > context.network().stake_min_rao, kAmountTooLow);
    MUSTER_ENSURE(move.allow_partial.value_or(true) || move.alpha <= most, kSlippageTooHigh);
  }
  MUSTER_ENSURE(!move.heeds_transfer_switch ||
                    (from->parameters.transfer_allowed && to->parameters.transfer_allowed),
                kTransferDisallowed);
  return kDone;
}

Outcome move_within_subnet(const Context& context, const StakeMove& move, std::uint64_t alpha) {
  const Netuid netuid = move.from_netuid;
  decrease_stake(context, move.from_hotkey, move.from_coldkey, netuid, alpha);
  if (netuid == kRootNetuid)
    unclaim_nothing_for(context, move.from_hotkey, move.from_coldkey, alpha);
  increase_stake(context, move.to_hotkey, move.to_coldkey, netuid, alpha);
  if (netuid == kRootNetuid) claim_nothing_for(context, move.to_hotkey, move.to_coldkey, alpha);
  const auto rao =
      integer_from<std::uint64_t>(price_of(context.state, netuid) * fixed_from<U64F64>(alpha));
  MUSTER_ENSURE(rao >= context.network().stake_min_rao, kAmountTooLow);
  context.tell(StakeRemoved{move.from_coldkey, move.from_hotkey, netuid, rao, alpha, 0});
  context.tell(StakeAdded{move.to_coldkey, move.to_hotkey, netuid, rao, alpha, 0});
  return kDone;
}

// One of the two swaps is free, so that a move pays one fee.
Outcome move_between_subnets(const Context& context, const StakeMove& move, std::uint64_t alpha) {
  const bool from_root = move.from_netuid == kRootNetuid;
  const auto rao = unstake_from_subnet(
      context, {move.from_coldkey, move.from_hotkey, move.from_netuid, alpha, kPriceLimitMin,
                from_root ? SwapFee::kWaived : SwapFee::kCharged});
  if (!rao.succeeded()) return rao.error();
  if (move.from_coldkey != move.to_coldkey) {
    MUSTER_ENSURE(rao.value() <= balance_of(context.state, move.from_coldkey),
                  kInsufficientBalance);
    MUSTER_ATTEMPT(
        transfer(context, move.from_coldkey, move.to_coldkey, rao.value(), Existence::kMayEnd));
  }
  if (rao.value() < context.network().stake_min_rao) return kDone;
  if (owner_of(context.state, move.to_hotkey) != move.to_coldkey)
    become_delegate(context, move.to_hotkey);
  const auto staked = stake_into_subnet(
      context, {move.to_coldkey, move.to_hotkey, move.to_netuid, rao.value(), kPriceLimitMax,
                from_root ? SwapFee::kCharged : SwapFee::kWaived});
  if (!staked.succeeded()) return staked.error();
  return kDone;
}

}  // namespace

Outcome move_stake(const Context& context, const StakeMove& asked) {
  StakeMove move = asked;
  move.alpha = std::min(
      move.alpha, stake_of(context.state, move.from_hotkey, move.from_coldkey, move.from_netuid));
  const auto most = most_to_move(context, move);
  if (!most.succeeded()) return most.error();
  MUSTER_ATTEMPT(check_move(context, move, most.value()));
  const std::uint64_t alpha = std::min(move.alpha, most.value());
  return move.from_netuid == move.to_netuid ? move_within_subnet(context, move, alpha)
                                            : move_between_subnets(context, move, alpha);
}

}  // namespace muster::chain::runtime
