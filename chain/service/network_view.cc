#include "chain/service/network_view.h"

#include "chain/runtime/neurons.h"
#include "chain/runtime/views.h"

namespace muster::chain {
namespace {

Bytes committed_by(const runtime::Subnet& subnet, const AccountId& hotkey) {
  const auto found = subnet.commitments.find(hotkey);
  if (found == subnet.commitments.end() || found->second.data.size() != 1) return {};
  const CommitmentData& data = found->second.data.front();
  return data.kind == CommitmentData::Kind::kRaw ? data.bytes : Bytes();
}

}  // namespace

Result<protocol::Metagraph> network_view(const runtime::Ledger& ledger, Netuid netuid) {
  const auto metagraph = runtime::metagraph(ledger.state(), netuid);
  if (!metagraph) return Error{Errc::kNotFound, "there is no subnet " + std::to_string(netuid)};
  const runtime::Subnet& subnet = ledger.state().subnets.at(netuid);
  protocol::Metagraph view{ledger.block_number(),
                           ledger.head(),
                           subnet.parameters.tempo,
                           metagraph->epoch_index,
                           metagraph->next_epoch_block.value_or(0),
                           subnet.economy.burn_rao,
                           ledger.state().network.stake_threshold,
                           {}};
  const auto replacements = runtime::replacements_of(ledger.state(), subnet, kRegistrationsAhead);
  for (const runtime::NeuronView& neuron : metagraph->neurons)
    view.neurons.push_back({.uid = Uid{neuron.uid},
                            .hotkey = neuron.hotkey,
                            .stake = neuron.total_stake,
                            .registered_block = neuron.block_at_registration,
                            .last_update = neuron.last_update,
                            .incentive = neuron.incentive,
                            .earned = subnet.stake_of(neuron.hotkey),
                            .permit = neuron.validator_permit,
                            .committed = committed_by(subnet, neuron.hotkey),
                            .replaced_after = replacements[neuron.uid].value_or(0)});
  return view;
}

}  // namespace muster::chain
