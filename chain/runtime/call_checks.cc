// The checks of a call before it gets into a block, and which calls are free.
#include "base/overloaded.h"
#include "chain/codec/commit_hash.h"
#include "chain/runtime/context.h"
#include "chain/runtime/dispatch.h"
#include "chain/runtime/neurons.h"
#include "chain/runtime/profile.h"
#include "chain/runtime/stakes.h"
#include "chain/runtime/weights.h"
#include "chain/yuma/mechanism.h"

namespace muster::chain::runtime {
namespace {

const Subnet* find_subnet(const State& state, Netuid netuid) {
  const auto found = state.subnets.find(netuid);
  return found == state.subnets.end() ? nullptr : &found->second;
}

Refusal check_rate(const State& state, const AccountId& hotkey, Netuid netuid,
                   MechanismId mechanism) {
  const Subnet* subnet = find_subnet(state, netuid);
  const auto uid = subnet == nullptr ? std::nullopt : subnet->neurons.uid_of(hotkey);
  return !uid || is_within_weights_limit(state, *subnet, mechanism, *uid) ? Refusal::kNone
                                                                          : Refusal::kRateLimited;
}

Refusal check_reveal(const State& state, const AccountId& hotkey, Netuid netuid,
                     MechanismId mechanism, const auto& call) {
  const Subnet* subnet = find_subnet(state, netuid);
  if (subnet == nullptr) return Refusal::kCommitNotFound;
  const Hash hash = weights_commit_hash(hotkey, mechanism_index(netuid, mechanism), call.uids,
                                        call.weights, call.salt, call.version_key);
  const auto epoch = epoch_of_commit_hash(*subnet, mechanism, hotkey, hash);
  if (!epoch) return Refusal::kCommitNotFound;
  return is_in_reveal_window(*epoch, subnet->parameters.reveal_period_epochs,
                             commit_epoch_of(state, *subnet))
             ? Refusal::kNone
             : Refusal::kRevealOutsideWindow;
}

bool is_commit_reveal(const State& state, Netuid netuid) {
  const Subnet* subnet = find_subnet(state, netuid);
  return subnet == nullptr || subnet->parameters.commit_reveal;
}

Refusal check_take(const State& state, const AccountId& signer, const AccountId& hotkey,
                   std::uint16_t take) {
  if (take < state.network.take_min) return Refusal::kTakeTooLow;
  if (take > state.network.take_default) return Refusal::kTakeTooHigh;
  if (find_hotkey(state, hotkey) == nullptr) return Refusal::kHotkeyUnknown;
  return owns_hotkey(state, signer, hotkey) ? Refusal::kNone : Refusal::kNonAssociatedColdkey;
}

Refusal refusal_of(DispatchError error) {
  switch (error) {
    case DispatchError::kHotKeyNotRegisteredInNetwork:
      return Refusal::kNotRegistered;
    case DispatchError::kInvalidIpAddress:
      return Refusal::kInvalidIpAddress;
    case DispatchError::kServingRateLimitExceeded:
      return Refusal::kServingRateLimited;
    case DispatchError::kInvalidPort:
      return Refusal::kInvalidPort;
    default:
      return Refusal::kBadRequest;
  }
}

template <class Call>
concept OfWeights = requires(const Call& call) {
  call.commit_hash;
}
|| requires(const Call& call) { call.commit; }
|| requires(const Call& call) { call.version_key; };

struct Checker {
  const State& state;
  const AccountId& signer;

  template <OfWeights Call>
  Refusal operator()(const Call& call) const {
    MechanismId mechanism = 0;
    if constexpr (requires { call.mechanism; }) mechanism = call.mechanism;
    if (!has_stake_for_weights(state, call.netuid, signer)) return Refusal::kStakeTooLow;
    if constexpr (requires { call.salt; }) {
      return check_reveal(state, signer, call.netuid, mechanism, call);
    } else if constexpr (requires { call.commit; }) {
      return Refusal::kNone;
    } else if constexpr (requires { call.commit_hash; }) {
      return check_rate(state, signer, call.netuid, mechanism);
    } else {
      return is_commit_reveal(state, call.netuid)
                 ? Refusal::kNone
                 : check_rate(state, signer, call.netuid, mechanism);
    }
  }
  Refusal operator()(const RegisterNetwork&) const {
    const std::uint64_t since = saturating_sub(state.block, state.last_network_block);
    return state.last_network_block == 0 || since >= state.network.network_rate_limit_blocks
               ? Refusal::kNone
               : Refusal::kRateLimited;
  }
  Refusal operator()(const IncreaseTake& call) const {
    return check_take(state, signer, call.hotkey, call.take);
  }
  Refusal operator()(const DecreaseTake& call) const {
    return check_take(state, signer, call.hotkey, call.take);
  }
  Refusal operator()(const ServeAxon& call) const {
    const auto error = check_axon(state, signer, call);
    return error ? refusal_of(*error) : Refusal::kNone;
  }
  template <class Call>
  Refusal operator()(const Call&) const {
    return Refusal::kNone;
  }
};

}  // namespace

Refusal check_call(const State& state, const AccountId& signer, const RuntimeCall& call) {
  return std::visit(Checker{state, signer}, call);
}

bool is_free(const RuntimeCall& call) {
  return std::visit(
      Overloaded{[](const auto& one) { return OfWeights<std::remove_cvref_t<decltype(one)>>; },
                 [](const IncreaseTake&) { return true; }, [](const DecreaseTake&) { return true; },
                 [](const ServeAxon&) { return true; }, [](const SetCommitment&) { return true; }},
      call);
}

}  // namespace muster::chain::runtime
