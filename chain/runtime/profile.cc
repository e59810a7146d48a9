#include "chain/runtime/profile.h"

#include <algorithm>

#include "chain/runtime/stakes.h"

namespace muster::chain::runtime {
namespace {

constexpr std::uint64_t kCommitmentBytesMin = 100;  // that a commitment counts for

[[nodiscard]] bool is_public_address(std::uint8_t ip_type, Uint128 ip) {
  constexpr Uint128 kLoopback4 = 0x7f00'0001;
  constexpr Uint128 kLoopback6 = 1;
  if (ip_type == 4) return ip < 0xffff'ffff && ip != kLoopback4;
  return ip != ~Uint128{0} && ip != kLoopback6;
}

// What both take calls need: a known hotkey of the signer's.
Outcome check_take(const Context& context, const AccountId& signer, const AccountId& hotkey) {
  MUSTER_ENSURE(find_hotkey(context.state, hotkey) != nullptr, kHotKeyAccountNotExists);
  MUSTER_ENSURE(owns_hotkey(context.state, signer, hotkey), kNonAssociatedColdKey);
  return kDone;
}

// Bonds to a neuron that says it changed are dropped, where the owner allows that.
void reset_bonds(const Context& context, Subnet& subnet, std::uint16_t uid) {
  if (!subnet.parameters.bonds_reset) return;
  for (Mechanism& mechanism : subnet.mechanisms)
    for (Row& row : mechanism.bonds)
      std::erase_if(context.edit(row), [&](const auto& bond) { return bond.column == uid; });
}

std::uint64_t counted_bytes(const SetCommitment& call) {
  std::uint64_t bytes = 0;
  for (const CommitmentData& data : call.data) bytes += data.bytes.size();
  return std::max(bytes, kCommitmentBytesMin);
}

}  // namespace

Outcome check_axon(const State& state, const AccountId& signer, const ServeAxon& call) {
  const auto found = state.subnets.find(call.netuid);
  MUSTER_ENSURE(found != state.subnets.end() && found->second.neurons.uid_of(signer),
                kHotKeyNotRegisteredInNetwork);
  const Subnet& subnet = found->second;
  MUSTER_ENSURE(call.ip_type == 4 || call.ip_type == 6, kInvalidIpType);
  MUSTER_ENSURE(is_public_address(call.ip_type, call.ip), kInvalidIpAddress);
  const auto last = subnet.axons.find(signer);
  MUSTER_ENSURE(last == subnet.axons.end() || saturating_sub(state.block, last->second.block) >=
                                                  subnet.parameters.serving_rate_limit_blocks,
                kServingRateLimitExceeded);
  MUSTER_ENSURE(call.port != 0, kInvalidPort);
  return kDone;
}

Outcome serve_axon(const Context& context, const AccountId& signer, const ServeAxon& call) {
  MUSTER_ATTEMPT(check_axon(context.state, signer, call));
  context.journal.entry(context.subnet(call.netuid).axons, signer) = {
      context.block(), call.version,  call.ip,           call.port,
      call.ip_type,    call.protocol, call.placeholder1, call.placeholder2};
  return kDone;
}

Outcome increase_take(const Context& context, const AccountId& signer, const IncreaseTake& call) {
  MUSTER_ATTEMPT(check_take(context, signer, call.hotkey));
  HotkeyRecord& record = context.state.hotkeys.at(call.hotkey);
  MUSTER_ENSURE(!record.take || call.take > *record.take, kDelegateTakeTooLow);
  MUSTER_ENSURE(call.take <= context.network().take_default, kDelegateTakeTooHigh);
  const std::uint64_t limit = context.network().take_rate_limit_blocks;
  MUSTER_ENSURE(limit == 0 || record.last_take_block == 0 ||
                    saturating_sub(context.block(), record.last_take_block) > limit,
                kDelegateTxRateLimitExceeded);
  context.edit(record.last_take_block) = context.block();
  context.edit(record.take) = call.take;
  return kDone;
}

Outcome decrease_take(const Context& context, const AccountId& signer, const DecreaseTake& call) {
  MUSTER_ATTEMPT(check_take(context, signer, call.hotkey));
  HotkeyRecord& record = context.state.hotkeys.at(call.hotkey);
  MUSTER_ENSURE(!record.take || call.take < *record.take, kDelegateTakeTooLow);
  MUSTER_ENSURE(call.take >= context.network().take_min, kDelegateTakeTooLow);
  context.edit(record.take) = call.take;
  context.edit(record.last_take_block) = context.block();
  return kDone;
}

Outcome set_commitment(const Context& context, const AccountId& signer, const SetCommitment& call) {
  Subnet* subnet = context.find(call.netuid);
  const auto uid = subnet == nullptr ? std::nullopt : subnet->neurons.uid_of(signer);
  MUSTER_ENSURE(uid, kAccountNotAllowedCommit);
  MUSTER_ENSURE(call.data.size() <= kCommitmentFieldsMax, kTooManyFieldsInCommitmentInfo);
  Commitment& commitment = context.journal.entry(subnet->commitments, signer);
  if (commitment.used_epoch != subnet->schedule.epoch_index) {
    commitment.used_epoch = subnet->schedule.epoch_index;
    commitment.used_bytes = 0;
  }
  if (std::ranges::find(call.data, CommitmentData::Kind::kResetBonds, &CommitmentData::kind) !=
      call.data.end())
    reset_bonds(context, *subnet, *uid);
  const std::uint64_t used = saturating_add(commitment.used_bytes, counted_bytes(call));
  MUSTER_ENSURE(used <= context.network().commitment_bytes_per_epoch, kSpaceLimitExceeded);
  commitment.used_bytes = used;
  commitment.block = context.block();
  commitment.data = call.data;
  return kDone;
}

Outcome set_auto_stake_hotkey(const Context& context, const AccountId& signer,
                              const SetAutoStakeHotkey& call) {
  const Subnet* subnet = context.find(call.netuid);
  MUSTER_ENSURE(subnet != nullptr, kSubnetNotExists);
  MUSTER_ENSURE(subnet->neurons.uid_of(call.hotkey), kHotKeyNotRegisteredInSubNet);
  auto& destinations = context.journal.place(context.state.coldkeys, signer).auto_stake_hotkeys;
  const auto present = destinations.find(call.netuid);
  MUSTER_ENSURE(present == destinations.end() || present->second != call.hotkey,
                kSameAutoStakeHotkeyAlreadySet);
  context.journal.entry(destinations, call.netuid) = call.hotkey;
  return kDone;
}

}  // namespace muster::chain::runtime
