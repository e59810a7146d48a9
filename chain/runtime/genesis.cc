#include "chain/runtime/genesis.h"

#include <algorithm>

#include "chain/runtime/balances.h"
#include "chain/runtime/networks.h"
#include "chain/runtime/neurons.h"
#include "chain/runtime/payout.h"
#include "chain/runtime/stakes.h"
#include "chain/yuma/epoch.h"
#include "chain/yuma/mechanism.h"

namespace muster::chain::runtime {
namespace {

constexpr std::size_t kNameBytesMax = 64;
constexpr std::uint32_t kBlockMsMin = 10, kBlockMsMax = 600'000;
constexpr std::uint16_t kFeeRateMax = 10'000;

Error refuse(const std::string& field, const std::string& range) {
  return {Errc::kInvalidArgument, "ledger." + field + " must be " + range};
}

Status check_parameters(const std::string& where, const SubnetParameters& parameters) {
  if (parameters.tempo == 0 || parameters.tempo > kTempoMax)
    return refuse(where + "tempo", "1..50400");
  if (parameters.uids_max == 0 || parameters.uids_max > kUidsMax)
    return refuse(where + "uids_max", "1..256");
  if (parameters.burn_min_rao > parameters.burn_max_rao)
    return refuse(where + "burn_min_rao", "at most burn_max_rao");
  if (parameters.reveal_period_epochs == 0)
    return refuse(where + "reveal_period_epochs", "at least 1");
  if (parameters.owner_immune_limit == 0) return refuse(where + "owner_immune_limit", "at least 1");
  if (parameters.fee_rate > kFeeRateMax) return refuse(where + "fee_rate", "at most 10000");
  if (parameters.mechanism_split) return refuse(where + "mechanism_split", "left to the owner");
  return {};
}

Status check_neurons(const std::string& where, const std::vector<GenesisNeuron>& neurons,
                     std::set<AccountId> taken, std::size_t count_max) {
  for (const GenesisNeuron& neuron : neurons)
    if (!taken.insert(neuron.hotkey).second)
      return refuse(where + "neurons", "of different hotkeys");
  if (taken.size() > count_max) return refuse(where + "neurons", "at most as many as uids");
  return {};
}

// Every hotkey has one owner, whichever list names it.
class Owners {
 public:
  Status note(const std::string& where, const AccountId& coldkey, const AccountId& hotkey) {
    const auto [found, is_new] = owners_.emplace(hotkey, coldkey);
    if (!is_new && found->second != coldkey)
      return refuse(where, "of hotkeys with one coldkey each; " + hotkey.brief() + " has two");
    if (is_subnet_account(hotkey)) return refuse(where, "without subnets' own accounts");
    return {};
  }

  [[nodiscard]] bool know(const AccountId& hotkey) const { return owners_.contains(hotkey); }

 private:
  std::map<AccountId, AccountId> owners_;
};

Status check_subnet(const GenesisSubnet& subnet, Owners& owners) {
  const std::string where = "subnet " + std::to_string(subnet.netuid) + ".";
  if (subnet.netuid == kRootNetuid || subnet.netuid >= kMechanismStride)
    return refuse("subnet.netuid", "1..4095");
  MUSTER_TRY_STATUS(check_parameters(where, subnet.parameters));
  if (subnet.tao_reserve < kReserveMin)
    return refuse(where + "tao_reserve", "at least 1000000 rao");
  if (subnet.alpha_reserve < kReserveMin)
    return refuse(where + "alpha_reserve", "at least 1000000 rao");
  MUSTER_TRY_STATUS(owners.note(where + "owner_hotkey", subnet.owner_coldkey, subnet.owner_hotkey));
  MUSTER_TRY_STATUS(
      check_neurons(where, subnet.neurons, {subnet.owner_hotkey}, subnet.parameters.uids_max));
  for (const GenesisNeuron& neuron : subnet.neurons)
    MUSTER_TRY_STATUS(owners.note(where + "neurons", neuron.coldkey, neuron.hotkey));
  std::uint64_t alpha = subnet.alpha_reserve;
  for (const GenesisStake& stake : subnet.stakes) alpha = saturating_add(alpha, stake.amount);
  if (alpha > kIssuanceMax) return refuse(where + "stakes", "at most 21e15 alpha-rao in all");
  return {};
}

Status check_stakes(const std::string& where, const std::vector<GenesisStake>& stakes,
                    const Owners& owners) {
  for (const GenesisStake& stake : stakes)
    if (!owners.know(stake.hotkey))
      return refuse(where + "stakes", "behind hotkeys that are neurons or own a subnet");
  return {};
}

std::uint64_t issuance_of(const Genesis& genesis) {
  std::uint64_t total = 0;
  for (const GenesisBalance& balance : genesis.balances) total = saturating_add(total, balance.rao);
  for (const GenesisStake& stake : genesis.root_stakes) total = saturating_add(total, stake.amount);
  for (const GenesisSubnet& subnet : genesis.subnets)
    total = saturating_add(total, subnet.tao_reserve);
  return total;
}

Subnet make_root(const Genesis& genesis) {
  constexpr std::uint16_t kRootTempo = 100;
  SubnetParameters parameters;
  parameters.tempo = kRootTempo;
  parameters.uids_max = genesis.network.root_uids_max;
  parameters.validators_max = genesis.network.root_uids_max;
  parameters.min_allowed_weights = 0;
  Subnet root = new_subnet(0, kRootNetuid, parameters);
  root.subtoken_enabled = true;
  return root;
}

void add_neurons(const Context& context, Netuid netuid, const std::vector<GenesisNeuron>& neurons) {
  for (const GenesisNeuron& neuron : neurons) {
    MUSTER_CHECK(!associate_hotkey(context, neuron.coldkey, neuron.hotkey), "genesis neuron");
    append_neuron(context, context.subnet(netuid), neuron.hotkey);
    if (netuid == kRootNetuid) become_delegate(context, neuron.hotkey);
  }
}

void add_stakes(const Context& context, Netuid netuid, const std::vector<GenesisStake>& stakes) {
  SubnetEconomy& economy = context.subnet(netuid).economy;
  for (const GenesisStake& stake : stakes) {
    increase_stake(context, stake.hotkey, stake.coldkey, netuid, stake.amount);
    economy.alpha_out += stake.amount;
    if (netuid != kRootNetuid) {
      economy.alpha_minted += stake.amount;
      continue;
    }
    economy.pool.tao_reserve += stake.amount;
    context.state.stake_rao += stake.amount;
    MUSTER_CHECK(mint(context, subnet_account(kRootNetuid), stake.amount), "genesis root stake");
    add_root_staker(context, stake.coldkey);
  }
}

void add_subnet(const Context& context, const GenesisSubnet& from) {
  State& state = context.state;
  Subnet& subnet = state.subnets[from.netuid] = new_subnet(0, from.netuid, from.parameters);
  subnet.owner_coldkey = from.owner_coldkey;
  subnet.owner_hotkey = from.owner_hotkey;
  subnet.rules = from.rules;
  SubnetEconomy& economy = subnet.economy;
  economy.pool.tao_reserve = economy.locked_rao = from.tao_reserve;
  economy.pool.alpha_reserve = economy.alpha_minted = from.alpha_reserve;
  economy.burn_rao = from.burn_rao;
  state.stake_rao += from.tao_reserve;
  MUSTER_CHECK(mint(context, subnet_account(from.netuid), from.tao_reserve), "genesis pool");
  if (from.started) {
    subnet.first_emission_block = 1;
    subnet.subtoken_enabled = true;
  }
  add_neurons(context, from.netuid, {{from.owner_coldkey, from.owner_hotkey}});
  add_neurons(context, from.netuid, from.neurons);
}

void give_first_permits(State& state, Netuid netuid) {
  const EpochOutput epoch = run_epoch(epoch_input_of(state, netuid, MechanismId{0}, 0));
  state.subnets.at(netuid).neurons.permits = epoch.validator_permit;
}

}  // namespace

Status validate(const Genesis& genesis) {
  if (genesis.name.empty() || genesis.name.size() > kNameBytesMax)
    return refuse("name", "1 to 64 bytes");
  if (genesis.block_ms < kBlockMsMin || genesis.block_ms > kBlockMsMax)
    return refuse("block_ms", "10..600000");
  const NetworkParameters& network = genesis.network;
  if (network.epochs_per_block_max == 0) return refuse("epochs_per_block_max", "at least 1");
  if (network.subnet_limit == 0 || network.subnet_limit >= kMechanismStride)
    return refuse("subnet_limit", "1..4095");
  if (network.root_uids_max == 0 || network.root_uids_max > kUidsMax)
    return refuse("root_uids_max", "1..256");
  if (network.lock_reduction_blocks == 0) return refuse("lock_reduction_blocks", "at least 1");
  if (network.mechanisms_max == 0 || network.mechanisms_max > kMechanismsMax)
    return refuse("mechanisms_max", "1..16");
  if (network.root_claims_per_block > kUidsMax)
    return refuse("root_claims_per_block", "at most 256");
  std::set<AccountId> accounts;
  for (const GenesisBalance& balance : genesis.balances) {
    if (!accounts.insert(balance.account).second)
      return refuse("balances", "of different accounts");
    if (balance.rao < network.existential_deposit_rao)
      return refuse("balances", "at least the existential deposit each");
    if (is_subnet_account(balance.account))
      return refuse("balances", "without subnets' own accounts");
  }
  Owners owners;
  MUSTER_TRY_STATUS(check_neurons("root_", genesis.root_neurons, {}, network.root_uids_max));
  for (const GenesisNeuron& neuron : genesis.root_neurons)
    MUSTER_TRY_STATUS(owners.note("root_neurons", neuron.coldkey, neuron.hotkey));
  std::set<Netuid> netuids;
  for (const GenesisSubnet& subnet : genesis.subnets) {
    if (!netuids.insert(subnet.netuid).second) return refuse("subnet.netuid", "of one subnet each");
    MUSTER_TRY_STATUS(check_subnet(subnet, owners));
  }
  MUSTER_TRY_STATUS(check_stakes("root_", genesis.root_stakes, owners));
  for (const GenesisSubnet& subnet : genesis.subnets)
    MUSTER_TRY_STATUS(
        check_stakes("subnet " + std::to_string(subnet.netuid) + ".", subnet.stakes, owners));
  if (netuids.size() > network.subnet_limit) return refuse("subnets", "at most subnet_limit");
  if (issuance_of(genesis) >= kIssuanceMax)
    return refuse("balances", "under 21e15 rao with all pools and root stakes");
  return {};
}

Hash genesis_hash(const Genesis& genesis) {
  return tagged_hash("muster/chain-genesis", scale_encode(genesis));
}

State make_state(const Genesis& genesis) {
  State state;
  Events events;
  Journal journal(Journal::Mode::kForget);
  const Context context{state, journal, events, genesis.author};
  state.network = genesis.network;
  state.last_lock_rao = genesis.network.network_lock_min_rao;
  state.subnets[kRootNetuid] = make_root(genesis);
  for (const GenesisBalance& balance : genesis.balances)
    MUSTER_CHECK(mint(context, balance.account, balance.rao), "genesis balance");
  add_neurons(context, kRootNetuid, genesis.root_neurons);
  for (const GenesisSubnet& subnet : genesis.subnets) add_subnet(context, subnet);
  add_stakes(context, kRootNetuid, genesis.root_stakes);
  for (const GenesisSubnet& subnet : genesis.subnets)
    add_stakes(context, subnet.netuid, subnet.stakes);
  for (const GenesisSubnet& subnet : genesis.subnets)
    if (subnet.first_permits) give_first_permits(state, subnet.netuid);
  return state;
}

}  // namespace muster::chain::runtime
