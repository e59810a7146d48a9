#include "chain/runtime/block_step.h"

#include <algorithm>

#include "chain/economy/burn_price.h"
#include "chain/economy/injection.h"
#include "chain/economy/moving_price.h"
#include "chain/runtime/children.h"
#include "chain/runtime/emission.h"
#include "chain/runtime/neurons.h"
#include "chain/runtime/payout.h"
#include "chain/runtime/root_claims.h"
#include "chain/runtime/weights.h"

namespace muster::chain::runtime {
namespace {

// 0.000003 in I96F32: how fast the moving price follows, once it has been moving for long.
constexpr I96F32 kMovingAlpha = I96F32::from_bits(12'885);

void decay_registration_prices(State& state) {
  for (auto& [netuid, subnet] : state.subnets) {
    const SubnetParameters& parameters = subnet.parameters;
    const bool decays = state.block > 1 && parameters.burn_half_life_blocks > 0;
    subnet.economy.burn_rao = burn_after_decay(
        subnet.economy.burn_rao, decays ? subnet.economy.burn_decay_q32 : std::uint64_t{1} << 32,
        {parameters.burn_min_rao, parameters.burn_max_rao});
    subnet.registrations_this_block = 0;
  }
  Subnet& root = state.subnets.at(kRootNetuid);
  if (is_epoch_due(clock_of(root), state.block)) root.registrations_this_interval = 0;
}

// Those that are due go in order, so many per block; the others are due again in the next one.
std::vector<Netuid> subnets_that_run(const State& state) {
  std::vector<Netuid> run;
  for (const auto& [netuid, subnet] : state.subnets)
    if (netuid != kRootNetuid && run.size() < state.network.epochs_per_block_max &&
        is_epoch_due(clock_of(subnet), state.block))
      run.push_back(netuid);
  return run;
}

void expire_commits(const Context& context) {
  const std::vector<Netuid> run = subnets_that_run(context.state);
  for (auto& [netuid, subnet] : context.state.subnets) {
    const bool deferred = is_epoch_due(clock_of(subnet), context.block()) &&
                          std::ranges::find(run, netuid) == run.end();
    if (netuid != kRootNetuid && !deferred) expire_timelocked_commits(context, netuid, subnet);
  }
}

struct DueEpoch {
  Netuid netuid = 0;
  PendingAlpha alpha;
};

// Advances the schedules, and takes out what the epochs that run will pay.
std::vector<DueEpoch> take_due(const Context& context) {
  std::vector<DueEpoch> due;
  for (auto& [netuid, subnet] : context.state.subnets) {
    if (netuid == kRootNetuid) continue;
    Schedule& schedule = subnet.schedule;
    ++schedule.blocks_since_last_step;
    if (!is_epoch_due(clock_of(subnet), context.block())) continue;
    if (due.size() >= context.network().epochs_per_block_max) {
      schedule.pending_epoch_at = context.block() + 1;
      context.tell(EpochDeferred{netuid});
      continue;
    }
    SubnetEconomy& economy = subnet.economy;
    due.push_back(
        {netuid,
         {std::exchange(economy.pending_server, 0), std::exchange(economy.pending_validator, 0),
          std::exchange(economy.pending_root, 0), std::exchange(economy.pending_owner, 0)}});
    schedule.blocks_since_last_step = 0;
    schedule.last_epoch_block = context.block();
    schedule.pending_epoch_at = 0;
    ++schedule.epoch_index;
  }
  return due;
}

void average_prices(State& state) {
  const std::uint64_t root_tao = state.subnets.at(kRootNetuid).economy.pool.tao_reserve;
  const U96F32 tao_weight = fraction_of_u64(state.network.tao_weight);
  for (auto& [netuid, subnet] : state.subnets) {
    if (netuid == kRootNetuid || !subnet.emits()) continue;
    SubnetEconomy& economy = subnet.economy;
    const std::uint64_t started = saturating_sub(*subnet.first_emission_block, 1);
    economy.moving_price = next_moving_price(economy.moving_price, chain::price_of(economy.pool),
                                             kMovingAlpha, saturating_sub(state.block, started),
                                             subnet.parameters.price_halving_blocks);
    economy.root_proportion = root_proportion(
        root_tao, tao_weight, saturating_add(economy.pool.alpha_reserve, economy.alpha_out));
  }
}

}  // namespace

void step_block(State& state, Events& events, const AccountId& author, const Hash& parent) {
  Journal journal(Journal::Mode::kForget);
  const Context context{state, journal, events, author};
  ++state.block;
  decay_registration_prices(state);
  expire_commits(context);
  emit_block(context);
  for (const DueEpoch& epoch : take_due(context)) {
    pay_epoch(context, epoch.netuid, epoch.alpha);
    context.subnet(epoch.netuid).schedule.last_step_block = state.block;
  }
  average_prices(state);
  for (auto& [netuid, subnet] : state.subnets)
    if (subnet.schedule.last_epoch_block == state.block) apply_pending_children(context, subnet);
  claim_root_for_some(context, parent);
}

}  // namespace muster::chain::runtime
