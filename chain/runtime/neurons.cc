#include "chain/runtime/neurons.h"

#include <algorithm>

#include "chain/economy/pruning.h"

namespace muster::chain::runtime {
namespace {

// Of the owner's coldkey, in the order in which its hotkeys were made.
std::vector<OwnedNeuron> owned_neurons(const State& state, const Subnet& subnet) {
  std::vector<OwnedNeuron> owned;
  const auto record = state.coldkeys.find(subnet.owner_coldkey);
  if (record == state.coldkeys.end()) return owned;
  for (const AccountId& hotkey : record->second.owned_hotkeys)
    if (const auto uid = subnet.neurons.uid_of(hotkey))
      owned.push_back({*uid, subnet.neurons.registration_blocks[*uid]});
  return owned;
}

std::vector<PrunableNeuron> prunable_neurons(const State& state, const Subnet& subnet) {
  const Neurons& neurons = subnet.neurons;
  std::vector<PrunableNeuron> prunable(neurons.count());
  for (std::size_t uid = 0; uid < prunable.size(); ++uid)
    prunable[uid] = {neurons.emission[uid], neurons.registration_blocks[uid], false};
  for (const std::uint16_t uid : immortal_uids_of(state, subnet)) prunable[uid].is_immortal = true;
  return prunable;
}

void clear_in(const Context& context, Mechanism& mechanism, std::uint16_t uid,
              std::uint64_t block) {
  context.edit(mechanism.incentive[uid]) = 0;
  context.edit(mechanism.bonds[uid]).clear();
  context.edit(mechanism.weights[uid]).clear();
  for (Row& row : mechanism.weights) {
    const auto weighed = std::ranges::find(row, uid, &SparseEntry<std::uint16_t>::column);
    if (weighed != row.end()) context.edit(*weighed).value = 0;
  }
  context.edit(mechanism.last_update[uid]) = block;
}

}  // namespace

std::uint16_t append_neuron(const Context& context, Subnet& subnet, const AccountId& hotkey) {
  Neurons& neurons = context.edit(subnet.neurons);
  const auto uid = static_cast<std::uint16_t>(neurons.count());
  neurons.hotkeys.push_back(hotkey);
  neurons.registration_blocks.push_back(context.block());
  neurons.active.push_back(true);
  neurons.permits.push_back(false);
  for (auto* list :
       {&neurons.consensus, &neurons.dividends, &neurons.validator_trust, &neurons.stake_weight})
    list->push_back(0);
  neurons.emission.push_back(0);
  neurons.uids.emplace(hotkey, uid);
  for (Mechanism& mechanism : subnet.mechanisms) {
    context.journal.append(mechanism.last_update, context.block());
    context.journal.append(mechanism.incentive, std::uint16_t{0});
    context.journal.append(mechanism.weights, Row{});
    context.journal.append(mechanism.bonds, Row{});
  }
  return uid;
}

void replace_neuron(const Context& context, Subnet& subnet, std::uint16_t uid,
                    const AccountId& hotkey) {
  const AccountId old = subnet.neurons.hotkeys[uid];
  if (old == subnet.owner_hotkey) return;
  Neurons& neurons = context.edit(subnet.neurons);
  neurons.uids.erase(old);
  neurons.uids.emplace(hotkey, uid);
  neurons.hotkeys[uid] = hotkey;
  neurons.registration_blocks[uid] = context.block();
  neurons.active[uid] = true;
  neurons.permits[uid] = false;
  for (auto* list :
       {&neurons.consensus, &neurons.dividends, &neurons.validator_trust, &neurons.stake_weight})
    (*list)[uid] = 0;
  neurons.emission[uid] = 0;
  context.journal.erase(subnet.axons, old);
  for (Mechanism& mechanism : subnet.mechanisms) clear_in(context, mechanism, uid, context.block());
}

std::optional<std::uint16_t> owner_uid_of(const Subnet& subnet) {
  return subnet.neurons.uid_of(subnet.owner_hotkey);
}

std::vector<std::uint16_t> immortal_uids_of(const State& state, const Subnet& subnet) {
  return immortal_uids(owned_neurons(state, subnet), owner_uid_of(subnet),
                       subnet.parameters.owner_immune_limit);
}

std::vector<AccountId> owner_hotkeys_of(const State& state, const Subnet& subnet) {
  std::vector<AccountId> hotkeys;
  for (const OwnedNeuron& one : owned_neurons(state, subnet))
    hotkeys.push_back(subnet.neurons.hotkeys[one.uid]);
  if (owner_uid_of(subnet)) hotkeys.push_back(subnet.owner_hotkey);
  return hotkeys;
}

std::optional<std::uint16_t> uid_to_replace(const State& state, const Subnet& subnet) {
  return neuron_to_prune(prunable_neurons(state, subnet), state.block,
                         subnet.parameters.immunity_period, subnet.parameters.non_immune_uids_min);
}

std::vector<std::optional<std::uint32_t>> replacements_of(const State& state, const Subnet& subnet,
                                                          std::uint32_t count) {
  const std::size_t n = subnet.neurons.count(), most = subnet.parameters.uids_max;
  return registrations_until_replaced(
      prunable_neurons(state, subnet), state.block, subnet.parameters.immunity_period,
      subnet.parameters.non_immune_uids_min, n < most ? most - n : 0, count);
}

EpochClock clock_of(const Subnet& subnet) {
  return {subnet.parameters.tempo, subnet.schedule.last_epoch_block,
          subnet.schedule.pending_epoch_at, subnet.schedule.blocks_since_last_step};
}

std::uint64_t commit_epoch_of(const State& state, const Subnet& subnet) {
  return epoch_of_commit(subnet.schedule.epoch_index, is_epoch_due(clock_of(subnet), state.block));
}

}  // namespace muster::chain::runtime
