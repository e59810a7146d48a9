#include "chain/service/network_view.h"

#include "chain/runtime/views.h"

namespace muster::chain {
namespace {

constexpr std::string_view kValidator = "muster/validator";

Role role_of(const runtime::Subnet& subnet, const AccountId& hotkey) {
  if (hotkey == subnet.owner_hotkey) return Role::kCoordinator;
  const auto found = subnet.commitments.find(hotkey);
  if (found == subnet.commitments.end()) return Role::kMiner;
  const auto& data = found->second.data;
  return data.size() == 1 && data[0] == validator_commitment() ? Role::kValidator : Role::kMiner;
}

}  // namespace

CommitmentData validator_commitment() { return CommitmentData::raw(bytes_of(kValidator)); }

Result<protocol::Metagraph> network_view(const runtime::Ledger& ledger, Netuid netuid) {
  const auto metagraph = runtime::metagraph(ledger.state(), netuid);
  if (!metagraph) return Error{Errc::kNotFound, "there is no subnet " + std::to_string(netuid)};
  const runtime::Subnet& subnet = ledger.state().subnets.at(netuid);
  protocol::Metagraph view{ledger.block_number(), ledger.head(), subnet.parameters.tempo, metagraph->epoch_index, {}};
  for (const runtime::NeuronView& neuron : metagraph->neurons)
    view.neurons.push_back({.uid = Uid{neuron.uid},
                            .hotkey = neuron.hotkey,
                            .role = role_of(subnet, neuron.hotkey),
                            .stake = neuron.total_stake,
                            .registered_block = neuron.block_at_registration,
                            .last_update = neuron.last_update,
                            .incentive = neuron.incentive,
                            .earned = subnet.stake_of(neuron.hotkey)});
  return view;
}

}  // namespace muster::chain
