#include "chain/runtime/emission.h"

#include <algorithm>

#include "chain/economy/emission_gate.h"
#include "chain/economy/emission_shares.h"
#include "chain/economy/injection.h"
#include "chain/runtime/balances.h"
#include "chain/runtime/stakes.h"
#include "chain/runtime/staking.h"

namespace muster::chain::runtime {
namespace {

struct Shares {
  std::vector<Netuid> netuids;  // that emit, ascending
  std::vector<U64F64> shares;
  std::vector<U64F64> moving_prices;
  U64F64 bar;  // of the gate
};

Shares divide_between_subnets(const State& state) {
  Shares result;
  result.bar = state.emission_bar;
  std::vector<SubnetDemand> demands;
  for (const auto& [netuid, subnet] : state.subnets) {
    if (netuid == kRootNetuid || !subnet.emits()) continue;
    const U64F64 moving_price = fixed_from<U64F64>(subnet.economy.moving_price);
    result.netuids.push_back(netuid);
    result.moving_prices.push_back(moving_price);
    demands.push_back(
        {moving_price, subnet.economy.miner_burned, subnet.parameters.emission_enabled});
  }
  result.shares = emission_shares(demands);
  if (state.network.emission_rule == EmissionRule::kGated) {
    const GateParameters gate{state.network.emission_bar_rank};
    result.bar = gate_bar(result.shares, gate, state.emission_bar, state.block);
    result.shares = gated_shares(result.shares, result.bar, gate.exponent);
  }
  result.shares = enabled_shares(result.shares, demands);
  return result;
}

U96F32 root_proportion_of(const Context& context, const SubnetEconomy& economy) {
  return root_proportion(context.subnet(kRootNetuid).economy.pool.tao_reserve,
                         fraction_of_u64(context.network().tao_weight), alpha_issuance_of(economy));
}

InjectionTerms terms_of(const Context& context, const SubnetEconomy& economy, U96F32 tao) {
  return injection_terms(tao, chain::price_of(economy.pool), alpha_issuance_of(economy),
                         root_proportion_of(context, economy));
}

// New TAO for a subnet's account, of what is left of the block's.
[[nodiscard]] bool spend(const Context& context, Netuid netuid, std::uint64_t rao,
                         std::uint64_t& left_rao) {
  if (rao > left_rao || !mint(context, subnet_account(netuid), rao)) return false;
  left_rao -= rao;
  return true;
}

// The weights move for the injection first; then what is too much to inject buys alpha; then the
// injection comes.
void inject(const Context& context, Netuid netuid, const InjectionTerms& terms,
            std::uint64_t& left_rao) {
  SubnetEconomy& economy = context.subnet(netuid).economy;
  auto tao_in = integer_from<std::uint64_t>(terms.tao_in);
  auto alpha_in = integer_from<std::uint64_t>(terms.alpha_in);
  const auto excess = integer_from<std::uint64_t>(terms.excess_tao);
  if (const auto injected = with_injection(economy.pool, tao_in, alpha_in)) {
    economy.pool.quote_weight = injected->quote_weight;
  } else {
    tao_in = alpha_in = 0;
  }
  economy.excess_tao = economy.tao_in_emission = 0;
  if (excess > 0 && spend(context, netuid, excess, left_rao)) {
    const auto swap = buy_alpha(context, netuid, excess, kPriceLimitMax, SwapFee::kWaived);
    if (swap.succeeded()) {
      economy.protocol_alpha = saturating_add(economy.protocol_alpha, swap.value().amount_out);
      economy.excess_tao = swap.value().amount_in;
    }
  }
  economy.alpha_in_emission = alpha_in;
  economy.pool.alpha_reserve += alpha_in;
  economy.alpha_minted += alpha_in;
  if (tao_in > 0 && spend(context, netuid, tao_in, left_rao)) {
    economy.tao_in_emission = tao_in;
    economy.pool.tao_reserve += tao_in;
    context.state.stake_rao += tao_in;
  }
}

void emit_alpha(const Context& context, Netuid netuid, U96F32 alpha_out, bool pays_root) {
  Subnet& subnet = context.subnet(netuid);
  SubnetEconomy& economy = subnet.economy;
  const auto created = integer_from<std::uint64_t>(alpha_out);
  economy.alpha_out_emission = created;
  economy.alpha_out += created;
  economy.alpha_minted += created;
  const U96F32 owner_cut = subnet.parameters.owner_cut
                               ? fraction_of_u16(context.network().subnet_owner_cut)
                               : U96F32::zero();
  const AlphaOutSplit split =
      split_alpha_out(alpha_out, owner_cut, root_proportion_of(context, economy));
  economy.pending_owner += split.owner_cut;
  economy.pending_server += split.server;
  economy.pending_validator += split.validator;
  if (pays_root) {
    economy.pending_root += split.root_alpha;
  } else {
    recycle_alpha(context, netuid, split.root_alpha);
  }
}

}  // namespace

void emit_block(const Context& context) {
  State& state = context.state;
  const Shares shares = divide_between_subnets(state);
  state.emission_bar = shares.bar;
  const bool pays_root = root_alpha_is_paid(shares.moving_prices);
  std::uint64_t left_rao =
      std::min(block_emission(state.issuance_rao), kIssuanceMax - state.issuance_rao);
  const U96F32 emission = fixed_from<U96F32>(left_rao);
  // All terms are of the pools as they were before the block.
  std::vector<InjectionTerms> terms;
  for (std::size_t i = 0; i < shares.netuids.size(); ++i)
    terms.push_back(terms_of(context, context.subnet(shares.netuids[i]).economy,
                             emission_for_share(emission, shares.shares[i])));
  for (std::size_t i = 0; i < terms.size(); ++i)
    inject(context, shares.netuids[i], terms[i], left_rao);
  for (std::size_t i = 0; i < terms.size(); ++i)
    emit_alpha(context, shares.netuids[i], terms[i].alpha_out, pays_root);
}

std::vector<std::pair<Netuid, U64F64>> emission_shares_of(const State& state) {
  const Shares shares = divide_between_subnets(state);
  std::vector<std::pair<Netuid, U64F64>> pairs;
  for (std::size_t i = 0; i < shares.netuids.size(); ++i)
    pairs.emplace_back(shares.netuids[i], shares.shares[i]);
  return pairs;
}

}  // namespace muster::chain::runtime
