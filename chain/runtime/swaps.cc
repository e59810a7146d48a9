// Swaps at a subnet's pool, and the two ways between a balance and a stake.
#include <algorithm>

#include "chain/runtime/balances.h"
#include "chain/runtime/root_claims.h"
#include "chain/runtime/staking.h"

namespace muster::chain::runtime {
namespace {

DispatchError error_of(SwapRefusal refusal) {
  switch (refusal) {
    case SwapRefusal::kInputTooLarge:
      return DispatchError::kSwapInputTooLarge;
    case SwapRefusal::kReservesTooLow:
      return DispatchError::kReservesTooLow;
    case SwapRefusal::kPriceLimitExceeded:
      return DispatchError::kPriceLimitExceeded;
    case SwapRefusal::kInsufficientLiquidity:
      return DispatchError::kInsufficientLiquidity;
  }
  MUSTER_UNREACHABLE();
}

}  // namespace

Attempt<Swap> quote(const State& state, Netuid netuid, Side side, std::uint64_t amount,
                    std::uint64_t limit_price, SwapFee fee) {
  if (netuid == kRootNetuid) return Swap{amount, amount, 0, false};
  const Subnet& subnet = state.subnets.at(netuid);
  const SwapOrder order{side, amount, price_from_limit(limit_price),
                        fee == SwapFee::kWaived ? std::uint16_t{0} : subnet.parameters.fee_rate,
                        kReserveMin};
  const auto swap = quote_swap(subnet.economy.pool, order);
  if (const auto* refusal = std::get_if<SwapRefusal>(&swap)) return error_of(*refusal);
  return std::get<Swap>(swap);
}

Attempt<Swap> buy_alpha(const Context& context, Netuid netuid, std::uint64_t tao,
                        std::uint64_t limit_price, SwapFee fee) {
  MUSTER_ATTEMPT_VALUE(const Swap swap,
                       quote(context.state, netuid, Side::kBuy, tao, limit_price, fee));
  SubnetEconomy& economy = context.edit(context.subnet(netuid).economy);
  if (netuid == kRootNetuid) {
    economy.pool.tao_reserve += swap.amount_in;
  } else {
    economy.pool = after_swap(economy.pool, Side::kBuy, swap);
  }
  economy.alpha_out += swap.amount_out;
  economy.volume += tao;
  context.edit(context.state.stake_rao) += tao;
  return swap;
}

Attempt<Swap> sell_alpha(const Context& context, Netuid netuid, std::uint64_t alpha,
                         std::uint64_t limit_price, SwapFee fee) {
  MUSTER_ATTEMPT_VALUE(const Swap swap,
                       quote(context.state, netuid, Side::kSell, alpha, limit_price, fee));
  SubnetEconomy& economy = context.edit(context.subnet(netuid).economy);
  if (netuid == kRootNetuid) {
    economy.pool.tao_reserve = saturating_sub(economy.pool.tao_reserve, swap.amount_out);
  } else {
    economy.pool = after_swap(economy.pool, Side::kSell, swap);
  }
  economy.alpha_out = saturating_sub(economy.alpha_out, swap.amount_in);
  economy.volume += swap.amount_out;
  std::uint64_t& staked = context.edit(context.state.stake_rao);
  staked = saturating_sub(staked, swap.amount_out);
  return swap;
}

Attempt<std::uint64_t> stake_into_subnet(const Context& context, const StakeChange& change) {
  const auto& [coldkey, hotkey, netuid, amount, limit_price, fee] = change;
  MUSTER_ATTEMPT_VALUE(const std::uint64_t rao,
                       transfer_to_subnet(context, netuid, coldkey, amount));
  MUSTER_ATTEMPT_VALUE(const Swap swap, buy_alpha(context, netuid, rao, limit_price, fee));
  MUSTER_ENSURE(swap.amount_out > 0, kAmountTooLow);
  MUSTER_ENSURE(increase_moves_shares(context.state, hotkey, netuid, swap.amount_out),
                kInsufficientLiquidity);
  increase_stake(context, hotkey, coldkey, netuid, swap.amount_out);
  pay_author_from_subnet(context, netuid, swap.fee);
  if (netuid == kRootNetuid) {
    claim_nothing_for(context, hotkey, coldkey, swap.amount_out);
    add_root_staker(context, coldkey);
  }
  context.tell(StakeAdded{coldkey, hotkey, netuid, rao, swap.amount_out, swap.fee});
  return swap.amount_out;
}

Attempt<std::uint64_t> unstake_from_subnet(const Context& context, const StakeChange& change) {
  const auto& [coldkey, hotkey, netuid, alpha, limit_price, fee] = change;
  decrease_stake(context, hotkey, coldkey, netuid, alpha);
  MUSTER_ATTEMPT_VALUE(const Swap swap, sell_alpha(context, netuid, alpha, limit_price, fee));
  increase_stake(context, hotkey, coldkey, netuid,
                 saturating_sub(alpha, saturating_add(swap.amount_in, swap.fee)));
  MUSTER_ATTEMPT(transfer_from_subnet(context, netuid, coldkey, swap.amount_out));
  if (context.author == AccountId{}) {
    burn_alpha(context, netuid, swap.fee);
  } else {
    MUSTER_ATTEMPT_VALUE(const Swap fee_swap,
                         sell_alpha(context, netuid, swap.fee, kPriceLimitMin, SwapFee::kWaived));
    pay_author_from_subnet(context, netuid, fee_swap.amount_out);
  }
  if (netuid == kRootNetuid) {
    unclaim_nothing_for(context, hotkey, coldkey, alpha);
    if (!has_root_stake(context.state, coldkey)) remove_root_staker(context, coldkey);
  }
  context.tell(StakeRemoved{coldkey, hotkey, netuid, swap.amount_out, swap.amount_in, swap.fee});
  return swap.amount_out;
}

}  // namespace muster::chain::runtime
