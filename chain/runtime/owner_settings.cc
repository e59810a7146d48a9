#include "chain/runtime/owner_settings.h"

#include "chain/economy/burn_price.h"
#include "chain/runtime/action_limits.h"
#include "chain/runtime/balances.h"
#include "chain/runtime/neurons.h"

namespace muster::chain::runtime {
namespace {

// Upstream's numbers of the settings that are limited one by one.
enum class Hyperparameter : std::uint8_t {
  kServingRateLimit = 1,
  kImmunityPeriod = 5,
  kMinAllowedWeights = 6,
  kRho = 8,
  kMinBurn = 11,
  kMaxBurn = 12,
  kBondsMovingAverage = 13,
  kBondsPenalty = 14,
  kCommitRevealEnabled = 15,
  kLiquidAlphaEnabled = 16,
  kAlphaValues = 17,
  kWeightCommitInterval = 18,
  kTransferEnabled = 19,
  kAlphaSigmoidSteepness = 20,
  kYuma3Enabled = 21,
  kBondsResetEnabled = 22,
  kImmuneNeuronLimit = 23,
  kRecycleOrBurn = 24,
  kMaxAllowedUids = 25,
  kBurnHalfLife = 26,
  kBurnIncreaseMult = 27,
  kMinChildkeyTake = 29,
  kActivityCutoffFactor = 30,
  kTriggerEpoch = 31,
  kOwnerHotkey = 255,  // ours: upstream limits it apart
};

constexpr std::uint64_t kMinBurnBelow = kTao;
constexpr std::uint64_t kMaxBurnAbove = kTao / 10;
constexpr std::uint64_t kBondsMovingAverageMax = 975'000;
constexpr std::uint16_t kAlphaMin = 65'535 / 40;
constexpr std::uint16_t kOwnerImmuneMax = 10;
constexpr std::uint16_t kBurnHalfLifeMax = 36'100;
constexpr std::uint32_t kCutoffFactorMin = 1'000, kCutoffFactorMax = 50'000;
constexpr std::uint64_t kRevealPeriodMax = 100;

Attempt<Subnet*> owned_subnet(const Context& context, const AccountId& signer, Netuid netuid) {
  Subnet* subnet = context.find(netuid);
  MUSTER_ENSURE(subnet != nullptr && subnet->owner_coldkey == signer, kBadOrigin);
  MUSTER_ENSURE(!subnet->rules.fixed, kRulesFixedAtGenesis);
  return subnet;
}

[[nodiscard]] bool is_within_limit(const Context& context, const Subnet& subnet,
                                   Hyperparameter which, std::uint64_t blocks) {
  const auto last = subnet.last_owner_blocks.find(static_cast<std::uint8_t>(which));
  return last == subnet.last_owner_blocks.end() ||
         saturating_sub(context.block(), last->second) >= blocks;
}

[[nodiscard]] std::uint64_t limit_blocks(const Context& context, const Subnet& subnet) {
  return std::uint64_t{subnet.parameters.tempo} * context.network().owner_rate_limit_tempos;
}

void note(const Context& context, Subnet& subnet, Hyperparameter which) {
  context.journal.entry(subnet.last_owner_blocks, static_cast<std::uint8_t>(which)) =
      context.block();
}

// Nothing changes shortly before an epoch, or while one is asked for.
[[nodiscard]] bool is_frozen(const Context& context, const Subnet& subnet) {
  if (subnet.parameters.tempo == 0) return false;
  return subnet.schedule.pending_epoch_at > context.block() ||
         blocks_until_epoch(clock_of(subnet), context.block()) <
             context.network().admin_freeze_blocks;
}

// The frame of most settings: the owner, its limit, no freeze; then what `change` asks for.
template <class Change>
Outcome set(const Context& context, const AccountId& signer, Netuid netuid, Hyperparameter which,
            const Change& change) {
  MUSTER_ATTEMPT_VALUE(Subnet * subnet, owned_subnet(context, signer, netuid));
  MUSTER_ENSURE(is_within_limit(context, *subnet, which, limit_blocks(context, *subnet)),
                kTxRateLimitExceeded);
  MUSTER_ENSURE(!is_frozen(context, *subnet), kAdminActionProhibitedDuringWeightsWindow);
  MUSTER_ATTEMPT(change(*subnet));
  note(context, *subnet, which);
  return kDone;
}

// The same for settings with a limit of their own.
template <class Change>
Outcome set(const Context& context, const AccountId& signer, Netuid netuid, LimitedAction which,
            const Change& change) {
  MUSTER_ATTEMPT_VALUE(Subnet * subnet, owned_subnet(context, signer, netuid));
  MUSTER_ENSURE(may_act(context, *subnet, signer, which), kTxRateLimitExceeded);
  MUSTER_ENSURE(!is_frozen(context, *subnet), kAdminActionProhibitedDuringWeightsWindow);
  MUSTER_ATTEMPT(change(*subnet));
  note_action(context, *subnet, signer, which);
  return kDone;
}

// A setting that any value may be given to.
template <class Call, class Value>
Outcome set_freely(const Context& context, const AccountId& signer, const Call& call,
                   Hyperparameter which, Value SubnetParameters::*field) {
  return set(context, signer, call.netuid, which, [&](Subnet& subnet) -> Outcome {
    context.edit(subnet.parameters.*field) = call.value;
    return kDone;
  });
}

// Mechanisms beyond the count lose all they had; new ones begin with the neurons that there are.
void resize_mechanisms(const Context& context, Subnet& subnet, std::size_t count) {
  std::vector<Mechanism>& mechanisms = context.edit(subnet.mechanisms);
  const std::size_t n = subnet.neurons.count();
  Mechanism fresh;
  fresh.last_update.assign(n, 0);
  fresh.incentive.assign(n, 0);
  fresh.weights.resize(n);
  fresh.bonds.resize(n);
  mechanisms.resize(count, fresh);
  context.edit(subnet.parameters.mechanism_split).reset();
}

// ---- the settings, one by one

Outcome apply_setting(const Context& context, const AccountId& signer, const SetTempo& call) {
  MUSTER_ATTEMPT_VALUE(Subnet * subnet, owned_subnet(context, signer, call.netuid));
  MUSTER_ENSURE(call.value >= kTempoMin && call.value <= kTempoMax, kTempoOutOfBounds);
  MUSTER_ENSURE(!is_frozen(context, *subnet), kAdminActionProhibitedDuringWeightsWindow);
  MUSTER_ENSURE(may_act(context, *subnet, signer, LimitedAction::kSetTempo), kTxRateLimitExceeded);
  context.edit(subnet->parameters.tempo) = call.value;
  context.edit(subnet->schedule.last_epoch_block) = context.block();
  note_action(context, *subnet, signer, LimitedAction::kSetTempo);
  return kDone;
}

Outcome apply_setting(const Context& context, const AccountId& signer,
                      const SetActivityCutoffFactor& call) {
  MUSTER_ATTEMPT_VALUE(Subnet * subnet, owned_subnet(context, signer, call.netuid));
  MUSTER_ENSURE(call.value >= kCutoffFactorMin && call.value <= kCutoffFactorMax,
                kActivityCutoffFactorMilliOutOfBounds);
  MUSTER_ENSURE(!is_frozen(context, *subnet), kAdminActionProhibitedDuringWeightsWindow);
  constexpr auto kWhich = Hyperparameter::kActivityCutoffFactor;
  MUSTER_ENSURE(is_within_limit(context, *subnet, kWhich, limit_blocks(context, *subnet)),
                kTxRateLimitExceeded);
  context.edit(subnet->parameters.activity_cutoff_factor_milli) = call.value;
  note(context, *subnet, kWhich);
  return kDone;
}

Outcome apply_setting(const Context& context, const AccountId& signer, const TriggerEpoch& call) {
  MUSTER_ATTEMPT_VALUE(Subnet * subnet, owned_subnet(context, signer, call.netuid));
  MUSTER_ENSURE(!subnet->parameters.commit_reveal, kDynamicTempoBlockedByCommitReveal);
  MUSTER_ENSURE(subnet->schedule.pending_epoch_at == 0, kEpochTriggerAlreadyPending);
  const std::uint64_t wait = context.network().admin_freeze_blocks;
  MUSTER_ENSURE(blocks_until_epoch(clock_of(*subnet), context.block()) >= wait,
                kAutoEpochAlreadyImminent);
  constexpr auto kWhich = Hyperparameter::kTriggerEpoch;
  MUSTER_ENSURE(is_within_limit(context, *subnet, kWhich, limit_blocks(context, *subnet)),
                kTxRateLimitExceeded);
  context.edit(subnet->schedule.pending_epoch_at) = context.block() + wait;
  note(context, *subnet, kWhich);
  return kDone;
}

Outcome apply_setting(const Context& context, const AccountId& signer,
                      const SetServingRateLimit& call) {
  return set_freely(context, signer, call, Hyperparameter::kServingRateLimit,
                    &SubnetParameters::serving_rate_limit_blocks);
}

Outcome apply_setting(const Context& context, const AccountId& signer,
                      const SetWeightsVersionKey& call) {
  return set(context, signer, call.netuid, LimitedAction::kSetWeightsVersionKey,
             [&](Subnet& subnet) -> Outcome {
               context.edit(subnet.parameters.weights_version_key) = call.value;
               return kDone;
             });
}

Outcome apply_setting(const Context& context, const AccountId& signer,
                      const SetImmunityPeriod& call) {
  return set_freely(context, signer, call, Hyperparameter::kImmunityPeriod,
                    &SubnetParameters::immunity_period);
}

Outcome apply_setting(const Context& context, const AccountId& signer,
                      const SetMinAllowedWeights& call) {
  return set_freely(context, signer, call, Hyperparameter::kMinAllowedWeights,
                    &SubnetParameters::min_allowed_weights);
}

Outcome apply_setting(const Context& context, const AccountId& signer,
                      const SetMaxAllowedUids& call) {
  return set(
      context, signer, call.netuid, Hyperparameter::kMaxAllowedUids,
      [&](Subnet& subnet) -> Outcome {
        MUSTER_ENSURE(call.value >= kUidsMin, kMaxAllowedUidsLessThanMinAllowedUids);
        MUSTER_ENSURE(subnet.neurons.count() <= call.value, kMaxAllowedUidsLessThanCurrentUids);
        MUSTER_ENSURE(call.value <= kUidsMax, kMaxAllowedUidsGreaterThanDefaultMaxAllowedUids);
        MUSTER_ENSURE(call.value * subnet.mechanisms.size() <= kUidsMax, kTooManyUidsPerMechanism);
        context.edit(subnet.parameters.uids_max) = call.value;
        return kDone;
      });
}

Outcome apply_setting(const Context& context, const AccountId& signer, const SetRho& call) {
  return set_freely(context, signer, call, Hyperparameter::kRho, &SubnetParameters::rho);
}

Outcome apply_setting(const Context& context, const AccountId& signer, const SetMinBurn& call) {
  return set(
      context, signer, call.netuid, Hyperparameter::kMinBurn, [&](Subnet& subnet) -> Outcome {
        MUSTER_ENSURE(call.value < kMinBurnBelow && call.value < subnet.parameters.burn_max_rao,
                      kValueNotInBounds);
        context.edit(subnet.parameters.burn_min_rao) = call.value;
        return kDone;
      });
}

Outcome apply_setting(const Context& context, const AccountId& signer, const SetMaxBurn& call) {
  return set(
      context, signer, call.netuid, Hyperparameter::kMaxBurn, [&](Subnet& subnet) -> Outcome {
        MUSTER_ENSURE(call.value > kMaxBurnAbove && call.value > subnet.parameters.burn_min_rao,
                      kValueNotInBounds);
        context.edit(subnet.parameters.burn_max_rao) = call.value;
        return kDone;
      });
}

Outcome apply_setting(const Context& context, const AccountId& signer,
                      const SetBondsMovingAverage& call) {
  return set(context, signer, call.netuid, Hyperparameter::kBondsMovingAverage,
             [&](Subnet& subnet) -> Outcome {
               MUSTER_ENSURE(call.value <= kBondsMovingAverageMax, kBondsMovingAverageMaxReached);
               context.edit(subnet.parameters.bonds_moving_average) = call.value;
               return kDone;
             });
}

Outcome apply_setting(const Context& context, const AccountId& signer,
                      const SetCommitRevealEnabled& call) {
  return set_freely(context, signer, call, Hyperparameter::kCommitRevealEnabled,
                    &SubnetParameters::commit_reveal);
}

Outcome apply_setting(const Context& context, const AccountId& signer,
                      const SetLiquidAlphaEnabled& call) {
  return set_freely(context, signer, call, Hyperparameter::kLiquidAlphaEnabled,
                    &SubnetParameters::liquid_alpha);
}

Outcome apply_setting(const Context& context, const AccountId& signer, const SetAlphaValues& call) {
  return set(context, signer, call.netuid, Hyperparameter::kAlphaValues,
             [&](Subnet& subnet) -> Outcome {
               const auto& [low, high] = call.value;
               MUSTER_ENSURE(subnet.parameters.liquid_alpha, kLiquidAlphaDisabled);
               MUSTER_ENSURE(high >= kAlphaMin, kAlphaHighTooLow);
               MUSTER_ENSURE(low >= kAlphaMin && low <= high, kAlphaLowOutOfRange);
               context.edit(subnet.parameters.alpha_low) = low;
               context.edit(subnet.parameters.alpha_high) = high;
               return kDone;
             });
}

Outcome apply_setting(const Context& context, const AccountId& signer,
                      const SetRevealPeriod& call) {
  return set(context, signer, call.netuid, Hyperparameter::kWeightCommitInterval,
             [&](Subnet& subnet) -> Outcome {
               MUSTER_ENSURE(call.value <= kRevealPeriodMax, kRevealPeriodTooLarge);
               MUSTER_ENSURE(call.value >= 1, kRevealPeriodTooSmall);
               context.edit(subnet.parameters.reveal_period_epochs) = call.value;
               return kDone;
             });
}

Outcome apply_setting(const Context& context, const AccountId& signer,
                      const SetBondsPenalty& call) {
  return set_freely(context, signer, call, Hyperparameter::kBondsPenalty,
                    &SubnetParameters::bonds_penalty);
}

Outcome apply_setting(const Context& context, const AccountId& signer,
                      const SetTransferEnabled& call) {
  return set_freely(context, signer, call, Hyperparameter::kTransferEnabled,
                    &SubnetParameters::transfer_allowed);
}

Outcome apply_setting(const Context& context, const AccountId& signer,
                      const SetSubnetOwnerHotkey& call) {
  MUSTER_ATTEMPT_VALUE(Subnet * subnet, owned_subnet(context, signer, call.netuid));
  constexpr auto kWhich = Hyperparameter::kOwnerHotkey;
  MUSTER_ENSURE(
      is_within_limit(context, *subnet, kWhich, context.network().owner_hotkey_rate_limit_blocks),
      kTxRateLimitExceeded);
  MUSTER_ENSURE(!is_subnet_account(call.value), kCannotUseSystemAccount);
  note(context, *subnet, kWhich);
  context.edit(subnet->owner_hotkey) = call.value;
  return kDone;
}

Outcome apply_setting(const Context& context, const AccountId& signer,
                      const SetAlphaSigmoidSteepness& call) {
  return set(context, signer, call.netuid, Hyperparameter::kAlphaSigmoidSteepness,
             [&](Subnet& subnet) -> Outcome {
               MUSTER_ENSURE(call.value >= 0, kNegativeSigmoidSteepness);
               context.edit(subnet.parameters.alpha_sigmoid_steepness) = call.value;
               return kDone;
             });
}

Outcome apply_setting(const Context& context, const AccountId& signer,
                      const SetYuma3Enabled& call) {
  return set_freely(context, signer, call, Hyperparameter::kYuma3Enabled, &SubnetParameters::yuma3);
}

Outcome apply_setting(const Context& context, const AccountId& signer,
                      const SetBondsResetEnabled& call) {
  return set_freely(context, signer, call, Hyperparameter::kBondsResetEnabled,
                    &SubnetParameters::bonds_reset);
}

Outcome apply_setting(const Context& context, const AccountId& signer,
                      const SetOwnerImmuneLimit& call) {
  return set(context, signer, call.netuid, Hyperparameter::kImmuneNeuronLimit,
             [&](Subnet& subnet) -> Outcome {
               MUSTER_ENSURE(call.value >= 1 && call.value <= kOwnerImmuneMax, kInvalidValue);
               context.edit(subnet.parameters.owner_immune_limit) = call.value;
               return kDone;
             });
}

Outcome apply_setting(const Context& context, const AccountId& signer,
                      const SetMechanismCount& call) {
  return set(context, signer, call.netuid, LimitedAction::kSetMechanismCount,
             [&](Subnet& subnet) -> Outcome {
               MUSTER_ENSURE(call.value > 0 && call.value <= context.network().mechanisms_max,
                             kInvalidValue);
               MUSTER_ENSURE(subnet.parameters.uids_max * call.value <= kUidsMax,
                             kTooManyUidsPerMechanism);
               if (call.value != subnet.mechanisms.size())
                 resize_mechanisms(context, subnet, call.value);
               return kDone;
             });
}

Outcome apply_setting(const Context& context, const AccountId& signer,
                      const SetMechanismSplit& call) {
  return set(context, signer, call.netuid, LimitedAction::kSetMechanismSplit,
             [&](Subnet& subnet) -> Outcome {
               if (call.value) {
                 std::uint64_t total = 0;
                 for (const std::uint16_t part : *call.value) total += part;
                 MUSTER_ENSURE(!call.value->empty() &&
                                   call.value->size() <= subnet.mechanisms.size() &&
                                   total == 65'535,
                               kInvalidValue);
               }
               context.edit(subnet.parameters.mechanism_split) = call.value;
               return kDone;
             });
}

Outcome apply_setting(const Context& context, const AccountId& signer,
                      const SetRecycleOrBurn& call) {
  return set(context, signer, call.netuid, Hyperparameter::kRecycleOrBurn,
             [&](Subnet& subnet) -> Outcome {
               context.edit(subnet.parameters.owner_incentive) = call.value.what;
               return kDone;
             });
}

Outcome apply_setting(const Context& context, const AccountId& signer,
                      const SetBurnHalfLife& call) {
  return set(context, signer, call.netuid, Hyperparameter::kBurnHalfLife,
             [&](Subnet& subnet) -> Outcome {
               MUSTER_ENSURE(call.netuid != kRootNetuid, kNotPermittedOnRootSubnet);
               MUSTER_ENSURE(call.value > 0 && call.value <= kBurnHalfLifeMax, kInvalidValue);
               context.edit(subnet.parameters.burn_half_life_blocks) = call.value;
               context.edit(subnet.economy.burn_decay_q32) = burn_decay_factor(call.value);
               return kDone;
             });
}

Outcome apply_setting(const Context& context, const AccountId& signer,
                      const SetBurnIncreaseMult& call) {
  return set(context, signer, call.netuid, Hyperparameter::kBurnIncreaseMult,
             [&](Subnet& subnet) -> Outcome {
               MUSTER_ENSURE(call.netuid != kRootNetuid, kNotPermittedOnRootSubnet);
               const U64F64 factor = U64F64::from_bits(call.value);
               MUSTER_ENSURE(factor >= U64F64::one() && factor <= fixed_from<U64F64>(3),
                             kInvalidValue);
               context.edit(subnet.parameters.burn_increase) = factor;
               return kDone;
             });
}

Outcome apply_setting(const Context& context, const AccountId& signer,
                      const SetOwnerCutEnabled& call) {
  MUSTER_ATTEMPT_VALUE(Subnet * subnet, owned_subnet(context, signer, call.netuid));
  MUSTER_ENSURE(!is_frozen(context, *subnet), kAdminActionProhibitedDuringWeightsWindow);
  MUSTER_ENSURE(call.netuid != kRootNetuid, kNotPermittedOnRootSubnet);
  context.edit(subnet->parameters.owner_cut) = call.value;
  return kDone;
}

Outcome apply_setting(const Context& context, const AccountId& signer,
                      const SetMinChildkeyTake& call) {
  return set(context, signer, call.netuid, Hyperparameter::kMinChildkeyTake,
             [&](Subnet& subnet) -> Outcome {
               MUSTER_ENSURE(call.value >= context.network().childkey_take_min &&
                                 call.value <= context.network().childkey_take_max,
                             kInvalidValue);
               context.edit(subnet.parameters.childkey_take_min) = call.value;
               return kDone;
             });
}

}  // namespace

Outcome apply_owner_call(const Context& context, const AccountId& signer, const RuntimeCall& call) {
  return std::visit(
      [&]<class Call>(const Call& one) -> Outcome {
        if constexpr (requires { apply_setting(context, signer, one); })
          return apply_setting(context, signer, one);
        else
          MUSTER_UNREACHABLE();
      },
      call);
}

}  // namespace muster::chain::runtime
