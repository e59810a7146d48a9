#include "chain/runtime/payout.h"

#include <algorithm>

#include "chain/economy/childkeys.h"
#include "chain/economy/dividends.h"
#include "chain/economy/injection.h"
#include "chain/runtime/children.h"
#include "chain/runtime/neurons.h"
#include "chain/runtime/root_claims.h"
#include "chain/runtime/stakes.h"
#include "chain/runtime/weights.h"
#include "chain/yuma/mechanism.h"

namespace muster::chain::runtime {
namespace {

// ---- the epoch

SparseU16 flat(const std::vector<Row>& rows) {
  SparseU16 matrix;
  std::size_t entries = 0;
  for (const Row& row : rows) entries += row.size();
  matrix.reserve(rows.size(), entries);
  for (const Row& row : rows) {
    for (const auto& [column, value] : row) matrix.append(column, value);
    matrix.close_row();
  }
  return matrix;
}

// Per uid the block of its earliest commit that can still be revealed.
std::vector<std::uint64_t> commit_blocks(const State& state, const Subnet& subnet,
                                         const Mechanism& mechanism) {
  std::vector<std::uint64_t> blocks(subnet.neurons.count(), kNoCommit);
  const std::uint64_t epoch = commit_epoch_of(state, subnet);
  const std::uint64_t period = subnet.parameters.reveal_period_epochs;
  const auto note = [&](const AccountId& hotkey, std::uint64_t block) {
    if (const auto uid = subnet.neurons.uid_of(hotkey))
      blocks[*uid] = std::min(blocks[*uid], block);
  };
  for (const auto& [hotkey, commits] : mechanism.commits) {
    const auto open = std::ranges::find_if(commits, [&](const WeightsCommit& commit) {
      return !is_commit_expired(commit.epoch, period, epoch);
    });
    if (open != commits.end()) note(hotkey, open->block);
  }
  for (const auto& [commit_epoch, commits] : mechanism.timelocked) {
    if (is_commit_expired(commit_epoch, period, epoch)) continue;
    for (const TimelockedCommit& commit : commits) note(commit.hotkey, commit.block);
  }
  return blocks;
}

EpochParameters epoch_parameters(const NetworkParameters& network,
                                 const SubnetParameters& parameters) {
  EpochParameters epoch;
  epoch.tempo = parameters.tempo;
  epoch.activity_cutoff_blocks =
      activity_cutoff_blocks(parameters.activity_cutoff_factor_milli, parameters.tempo);
  epoch.stake_threshold = network.stake_threshold;
  epoch.validators_max = parameters.validators_max;
  epoch.kappa = parameters.kappa;
  epoch.bonds_penalty = parameters.bonds_penalty;
  epoch.bonds_moving_average = parameters.bonds_moving_average;
  epoch.tao_weight = network.tao_weight;
  epoch.yuma3 = parameters.yuma3;
  epoch.commit_reveal = parameters.commit_reveal;
  epoch.liquid_alpha = parameters.liquid_alpha;
  epoch.alpha_low = parameters.alpha_low;
  epoch.alpha_high = parameters.alpha_high;
  epoch.alpha_sigmoid_steepness = parameters.alpha_sigmoid_steepness;
  return epoch;
}

void store_bonds(std::vector<Row>& rows, const SparseU16& bonds) {
  for (std::size_t uid = 0; uid < rows.size(); ++uid) {
    const auto row = bonds.row(uid);
    rows[uid].assign(row.begin(), row.end());
  }
}

// Runs all mechanisms on the same stakes and stores what they give; what they give together.
EpochOutput run_mechanisms(const Context& context, Netuid netuid, std::uint64_t emission) {
  Subnet& subnet = context.subnet(netuid);
  const std::vector<std::uint64_t> emissions =
      split_emission(emission, static_cast<std::uint8_t>(subnet.mechanisms.size()),
                     subnet.parameters.mechanism_split);
  std::vector<EpochOutput> outputs;
  for (std::size_t i = 0; i < subnet.mechanisms.size(); ++i) {
    const EpochInput input =
        epoch_input_of(context.state, netuid, static_cast<MechanismId>(i), emissions[i]);
    EpochOutput output = run_epoch(input);
    subnet.mechanisms[i].incentive = output.incentive;
    store_bonds(subnet.mechanisms[i].bonds, output.bonds);
    outputs.push_back(std::move(output));
  }
  EpochOutput combined = combine_mechanisms(outputs, emissions, emission);
  Neurons& neurons = subnet.neurons;
  neurons.active = combined.active;
  neurons.permits = combined.validator_permit;
  neurons.consensus = combined.consensus;
  neurons.dividends = combined.dividends;
  neurons.validator_trust = combined.validator_trust;
  neurons.stake_weight = combined.stake_weight;
  neurons.emission = combined.emission;
  return combined;
}

// ---- who gets it

using Amounts = std::map<AccountId, std::uint64_t>;

// Each hotkey's dividends, with what children owe their parents moved to these.
std::map<AccountId, U96F32> dividends_by_hotkey(const Context& context, Netuid netuid,
                                                const Amounts& earned) {
  const State& state = context.state;
  const Subnet& subnet = context.subnet(netuid);
  const Subnet& root = context.subnet(kRootNetuid);
  const U96F32 tao_weight = tao_weight_of(context.network());
  const U96F32 burn = fraction_of_u64(context.network().childkey_burn);
  std::map<AccountId, U96F32> dividends;
  const auto add = [&](const AccountId& hotkey, std::uint64_t amount) {
    U96F32& sum = dividends[hotkey];
    sum = sum + fixed_from<U96F32>(amount);
  };
  for (const auto& [hotkey, amount] : earned) {
    std::vector<std::uint64_t> lent;
    for (const auto& [proportion, child] : children_of(subnet, hotkey)) lent.push_back(proportion);
    std::vector<Parent> parents;
    for (const auto& [proportion, parent] : parents_of(subnet, hotkey))
      parents.push_back({proportion, subnet.stake_of(parent), root.stake_of(parent),
                         owner_of(state, parent) == owner_of(state, hotkey)});
    const ChildDividends split = split_among_parents(
        amount, self_contribution(subnet.stake_of(hotkey), root.stake_of(hotkey), lent, tao_weight),
        parents, childkey_take_of(state, subnet, hotkey), tao_weight, burn);
    const Relations& relations = parents_of(subnet, hotkey);
    for (std::size_t i = 0; i < split.parents.size(); ++i)
      add(relations[i].second, split.parents[i]);
    for (const std::uint64_t burned : split.burned) recycle_alpha(context, netuid, burned);
    add(hotkey, split.child);
  }
  return dividends;
}

void pay_incentives(const Context& context, Netuid netuid, const Amounts& incentives) {
  Subnet& subnet = context.subnet(netuid);
  const std::vector<AccountId> owners = owner_hotkeys_of(context.state, subnet);
  std::uint64_t total = 0, withheld = 0;
  for (const auto& [hotkey, incentive] : incentives) {
    total = saturating_add(total, incentive);
    if (std::ranges::find(owners, hotkey) != owners.end()) {
      withheld = saturating_add(withheld, incentive);
      if (subnet.parameters.owner_incentive == OwnerIncentive::kRecycle) {
        recycle_alpha(context, netuid, incentive);
      } else {
        burn_alpha(context, netuid, incentive);
      }
      continue;
    }
    const AccountId owner = owner_of(context.state, hotkey);
    AccountId destination = hotkey;
    const auto record = context.state.coldkeys.find(owner);
    if (record != context.state.coldkeys.end()) {
      const auto chosen = record->second.auto_stake_hotkeys.find(netuid);
      if (chosen != record->second.auto_stake_hotkeys.end()) destination = chosen->second;
    }
    increase_stake(context, destination, owner, netuid, incentive);
  }
  subnet.economy.miner_burned = withheld_proportion(withheld, total);
}

// One validator's pay, by the stakes before anything of this epoch is paid.
struct Pay {
  AccountId hotkey;
  ValidatorPay amounts;
};

std::vector<Pay> validator_pays(const Context& context, Netuid netuid,
                                const std::map<AccountId, U96F32>& dividends,
                                std::uint64_t validator_alpha, std::uint64_t root_alpha) {
  const Subnet& subnet = context.subnet(netuid);
  const Subnet& root = context.subnet(kRootNetuid);
  std::vector<Validator> validators;
  for (const auto& [hotkey, earned] : dividends)
    validators.push_back({earned, subnet.stake_of(hotkey), root.stake_of(hotkey)});
  const std::vector<ValidatorPay> amounts = distribute_dividends(
      validators, validator_alpha, root_alpha, tao_weight_of(context.network()));
  std::vector<Pay> pays;
  for (const auto& [hotkey, earned] : dividends) pays.push_back({hotkey, amounts[pays.size()]});
  return pays;
}

// The take to the hotkey's owner, the rest to all who stake behind it: of the alpha part at once,
// of the root part when they claim it.
void pay_validators(const Context& context, Netuid netuid, const std::vector<Pay>& pays) {
  Subnet& subnet = context.subnet(netuid);
  subnet.alpha_dividends.clear();
  subnet.root_dividends.clear();
  for (const auto& [hotkey, amounts] : pays) {
    const TakeSplit split = split_take(amounts.alpha, take_of(context.state, hotkey));
    increase_stake(context, hotkey, owner_of(context.state, hotkey), netuid, split.take);
    increase_stake_of_all(context, hotkey, netuid, split.rest);
    if (split.rest > 0) subnet.alpha_dividends[hotkey] = split.rest;
  }
  for (const auto& [hotkey, amounts] : pays) {
    const TakeSplit split = split_take(amounts.root_alpha, take_of(context.state, hotkey));
    increase_stake(context, hotkey, owner_of(context.state, hotkey), netuid, split.take);
    if (split.rest == 0) continue;
    add_root_dividend(context, hotkey, netuid, split.rest);
    subnet.root_dividends[hotkey] = split.rest;
  }
}

}  // namespace

EpochInput epoch_input_of(const State& state, Netuid netuid, MechanismId mechanism,
                          std::uint64_t emission) {
  const Subnet& subnet = state.subnets.at(netuid);
  const Mechanism& rows = subnet.mechanisms.at(mechanism);
  EpochInput input;
  input.parameters = epoch_parameters(state.network, subnet.parameters);
  input.block = state.block;
  input.last_step_block = subnet.schedule.last_step_block;
  input.emission = emission;
  input.owner_uid = owner_uid_of(subnet);
  for (const AccountId& hotkey : subnet.neurons.hotkeys) {
    input.alpha_stake.push_back(inherited_alpha(subnet, hotkey));
    input.root_stake.push_back(inherited_root(state, subnet, hotkey));
  }
  input.block_at_registration = subnet.neurons.registration_blocks;
  input.last_update = rows.last_update;
  input.validator_permit = subnet.neurons.permits;
  if (subnet.parameters.commit_reveal) input.commit_block = commit_blocks(state, subnet, rows);
  input.weights = flat(rows.weights);
  input.bonds = flat(rows.bonds);
  return input;
}

void pay_epoch(const Context& context, Netuid netuid, const PendingAlpha& pending) {
  const std::uint64_t emission =
      saturating_add(saturating_add(pending.server, pending.validator), pending.root);
  const EpochOutput output = run_mechanisms(context, netuid, emission);
  const Subnet& subnet = context.subnet(netuid);
  Amounts incentives, earned;
  std::uint64_t incentive_sum = 0;
  for (std::size_t uid = 0; uid < subnet.neurons.count(); ++uid) {
    incentives[subnet.neurons.hotkeys[uid]] = output.server_emission[uid];
    earned[subnet.neurons.hotkeys[uid]] = output.validator_emission[uid];
    incentive_sum = saturating_add(incentive_sum, output.server_emission[uid]);
  }
  // Without incentives validators have the miners' part too, unless the genesis says that nobody
  // has it.
  const bool is_unearned = incentive_sum == 0;
  const bool recycles = is_unearned && subnet.rules.recycle_unearned;
  const std::uint64_t validator_alpha = is_unearned && !recycles
                                            ? saturating_add(pending.validator, pending.server)
                                            : pending.validator;
  if (recycles) recycle_alpha(context, netuid, pending.server);
  const std::vector<Pay> pays = validator_pays(
      context, netuid, dividends_by_hotkey(context, netuid, earned), validator_alpha, pending.root);
  increase_stake(context, subnet.owner_hotkey, subnet.owner_coldkey, netuid, pending.owner);
  pay_incentives(context, netuid, incentives);
  pay_validators(context, netuid, pays);
  context.tell(EpochRan{netuid, emission});
}

}  // namespace muster::chain::runtime
