#include "chain/runtime/dispatch.h"

#include "base/overloaded.h"
#include "chain/runtime/balances.h"
#include "chain/runtime/children.h"
#include "chain/runtime/networks.h"
#include "chain/runtime/owner_settings.h"
#include "chain/runtime/profile.h"
#include "chain/runtime/root_claims.h"
#include "chain/runtime/staking.h"
#include "chain/runtime/weights.h"

namespace muster::chain::runtime {
namespace {

template <class T>
Outcome outcome_of(const Attempt<T>& attempt) {
  if (attempt.succeeded()) return kDone;
  return attempt.error();
}

MechanismId mechanism_of(const auto& call) {
  if constexpr (requires { call.mechanism; })
    return call.mechanism;
  else
    return 0;
}

NewWeights weights_of(const auto& call) { return {call.uids, call.weights, call.version_key}; }

template <class Call>
concept SetsWeights = std::same_as<Call, SetWeights> || std::same_as<Call, SetMechanismWeights>;
template <class Call>
concept CommitsWeights =
    std::same_as<Call, CommitWeights> || std::same_as<Call, CommitMechanismWeights>;
template <class Call>
concept RevealsWeights =
    std::same_as<Call, RevealWeights> || std::same_as<Call, RevealMechanismWeights>;
template <class Call>
concept TimelocksWeights = std::same_as<Call, CommitTimelockedWeights> ||
    std::same_as<Call, CommitTimelockedMechanismWeights>;

// Applies each kind of call for one signer.
struct Applier {
  const Context& context;
  const AccountId& signer;
  const RuntimeCall& whole;

  // ---- weights
  template <SetsWeights Call>
  Outcome operator()(const Call& call) const {
    return set_weights(context, signer, {call.netuid, mechanism_of(call)}, weights_of(call));
  }
  template <CommitsWeights Call>
  Outcome operator()(const Call& call) const {
    return commit_weights(context, signer, {call.netuid, mechanism_of(call)}, call.commit_hash);
  }
  template <RevealsWeights Call>
  Outcome operator()(const Call& call) const {
    return reveal_weights(context, signer, {call.netuid, mechanism_of(call)}, weights_of(call),
                          call.salt);
  }
  template <TimelocksWeights Call>
  Outcome operator()(const Call& call) const {
    return commit_timelocked_weights(context, signer, {call.netuid, mechanism_of(call)},
                                     call.commit.bytes, call.reveal_round,
                                     call.commit_reveal_version);
  }

  // ---- balances
  Outcome move_balance(const AccountId& to, std::uint64_t rao, Existence existence) const {
    MUSTER_ATTEMPT(transfer(context, signer, to, rao, existence));
    context.tell(Transferred{signer, to, rao});
    return kDone;
  }
  Outcome operator()(const TransferAllowDeath& call) const {
    return move_balance(call.destination.account, call.amount_rao.value, Existence::kMayEnd);
  }
  Outcome operator()(const TransferKeepAlive& call) const {
    return move_balance(call.destination.account, call.amount_rao.value, Existence::kMustLive);
  }

  // ---- stake
  Outcome operator()(const AddStake& call) const {
    return outcome_of(add_stake(context, signer, call));
  }
  Outcome operator()(const AddStakeLimit& call) const {
    return outcome_of(add_stake_limit(context, signer, call));
  }
  Outcome operator()(const AddStakeBurn& call) const {
    const auto alpha =
        call.limit_price_rao
            ? add_stake_limit(
                  context, signer,
                  {call.hotkey, call.netuid, call.amount_rao, *call.limit_price_rao, false})
            : add_stake(context, signer, {call.hotkey, call.netuid, call.amount_rao});
    if (!alpha.succeeded()) return alpha.error();
    return destroy_alpha(context, signer, call.hotkey, call.netuid, alpha.value(),
                         AlphaFate::kBurned);
  }
  Outcome operator()(const RemoveStake& call) const { return remove_stake(context, signer, call); }
  Outcome operator()(const RemoveStakeLimit& call) const {
    return remove_stake_limit(context, signer, call);
  }
  Outcome operator()(const RemoveStakeFullLimit& call) const {
    const std::uint64_t all = stake_of(context.state, call.hotkey, signer, call.netuid);
    if (!call.limit_price_rao)
      return remove_stake(context, signer, {call.hotkey, call.netuid, all});
    return remove_stake_limit(context, signer,
                              {call.hotkey, call.netuid, all, *call.limit_price_rao, false});
  }
  Outcome operator()(const UnstakeAll& call) const {
    return unstake_all(context, signer, call.hotkey);
  }
  Outcome operator()(const UnstakeAllAlpha& call) const {
    return unstake_all_alpha(context, signer, call.hotkey);
  }
  Outcome operator()(const MoveStake& call) const {
    return move_stake(
        context, {signer, signer, call.origin_hotkey, call.destination_hotkey, call.origin_netuid,
                  call.destination_netuid, call.amount_alpha, std::nullopt, std::nullopt, false});
  }
  Outcome operator()(const TransferStake& call) const {
    return move_stake(
        context, {signer, call.destination_coldkey, call.hotkey, call.hotkey, call.origin_netuid,
                  call.destination_netuid, call.amount_alpha, std::nullopt, std::nullopt, true});
  }
  Outcome operator()(const SwapStake& call) const {
    return move_stake(
        context, {signer, signer, call.hotkey, call.hotkey, call.origin_netuid,
                  call.destination_netuid, call.amount_alpha, std::nullopt, std::nullopt, false});
  }
  Outcome operator()(const SwapStakeLimit& call) const {
    return move_stake(context, {signer, signer, call.hotkey, call.hotkey, call.origin_netuid,
                                call.destination_netuid, call.amount_alpha, call.limit_price_rao,
                                call.allow_partial, false});
  }
  Outcome operator()(const RecycleAlpha& call) const {
    return destroy_alpha(context, signer, call.hotkey, call.netuid, call.amount_alpha,
                         AlphaFate::kRecycled);
  }
  Outcome operator()(const BurnAlpha& call) const {
    return destroy_alpha(context, signer, call.hotkey, call.netuid, call.amount_alpha,
                         AlphaFate::kBurned);
  }
  Outcome operator()(const ClaimRoot& call) const { return claim_root(context, signer, call); }
  Outcome operator()(const SetRootClaimType& call) const {
    return set_root_claim_type(context, signer, call);
  }

  // ---- networks and keys
  Outcome operator()(const Register& call) const {
    return register_neuron(context, signer, call.netuid, call.hotkey, std::nullopt);
  }
  Outcome operator()(const BurnedRegister& call) const {
    return register_neuron(context, signer, call.netuid, call.hotkey, std::nullopt);
  }
  Outcome operator()(const RegisterLimit& call) const {
    return register_neuron(context, signer, call.netuid, call.hotkey, call.limit_price_rao);
  }
  Outcome operator()(const RootRegister& call) const {
    return root_register(context, signer, call.hotkey);
  }
  Outcome operator()(const RegisterNetwork& call) const {
    return register_network(context, signer, call.hotkey);
  }
  Outcome operator()(const StartCall& call) const {
    return start_call(context, signer, call.netuid);
  }
  Outcome operator()(const TryAssociateHotkey& call) const {
    return associate_hotkey(context, signer, call.hotkey);
  }
  Outcome operator()(const ServeAxon& call) const { return serve_axon(context, signer, call); }
  Outcome operator()(const IncreaseTake& call) const {
    return increase_take(context, signer, call);
  }
  Outcome operator()(const DecreaseTake& call) const {
    return decrease_take(context, signer, call);
  }
  Outcome operator()(const SetChildkeyTake& call) const {
    return set_childkey_take(context, signer, call);
  }
  Outcome operator()(const SetChildren& call) const { return set_children(context, signer, call); }
  Outcome operator()(const SetAutoParentDelegation& call) const {
    return set_auto_parent_delegation(context, signer, call);
  }
  Outcome operator()(const SetAutoStakeHotkey& call) const {
    return set_auto_stake_hotkey(context, signer, call);
  }
  Outcome operator()(const SetCommitment& call) const {
    return set_commitment(context, signer, call);
  }

  // ---- what a subnet's owner sets
  template <class Call>
  Outcome operator()(const Call&) const {
    return apply_owner_call(context, signer, whole);
  }
};

}  // namespace

Outcome dispatch(State& state, Events& events, const AccountId& author, const AccountId& signer,
                 const RuntimeCall& call) {
  Journal journal;
  const Context context{state, journal, events, author};
  const Outcome outcome = std::visit(Applier{context, signer, call}, call);
  if (outcome) journal.roll_back();
  return outcome;
}

}  // namespace muster::chain::runtime
