// Call: one of Subtensor's dispatchable calls with its arguments, and its encoding.
//
// Two bytes name pallet and call, the arguments follow in SCALE. Calls that are not listed here
// (leasing, EVM, locks, crowdloans, key swaps, batches, governance) are refused as unknown. Thread
// safety: plain values.
#pragma once

#include <concepts>
#include <utility>
#include <variant>

#include "chain/codec/calls_keys.h"
#include "chain/codec/calls_owner.h"
#include "chain/codec/calls_stake.h"
#include "chain/codec/calls_weights.h"

namespace muster::chain {

using CallVariant = std::variant<
    SetWeights, SetMechanismWeights, CommitWeights, CommitMechanismWeights, RevealWeights,
    RevealMechanismWeights, CommitTimelockedWeights, CommitTimelockedMechanismWeights,
    TransferAllowDeath, TransferKeepAlive, AddStake, AddStakeLimit, AddStakeBurn, RemoveStake,
    RemoveStakeLimit, RemoveStakeFullLimit, UnstakeAll, UnstakeAllAlpha, MoveStake, TransferStake,
    SwapStake, SwapStakeLimit, RecycleAlpha, BurnAlpha, ClaimRoot, SetRootClaimType, Register,
    BurnedRegister, RegisterLimit, RootRegister, RegisterNetwork, StartCall, TryAssociateHotkey,
    ServeAxon, IncreaseTake, DecreaseTake, SetChildkeyTake, SetChildren, SetAutoParentDelegation,
    SetAutoStakeHotkey, SetCommitment, SetTempo, SetActivityCutoffFactor, TriggerEpoch,
    SetServingRateLimit, SetWeightsVersionKey, SetImmunityPeriod, SetMinAllowedWeights,
    SetMaxAllowedUids, SetRho, SetMinBurn, SetMaxBurn, SetBondsMovingAverage,
    SetCommitRevealEnabled, SetLiquidAlphaEnabled, SetAlphaValues, SetRevealPeriod, SetBondsPenalty,
    SetTransferEnabled, SetSubnetOwnerHotkey, SetAlphaSigmoidSteepness, SetYuma3Enabled,
    SetBondsResetEnabled, SetOwnerImmuneLimit, SetMechanismCount, SetMechanismSplit,
    SetRecycleOrBurn, SetBurnHalfLife, SetBurnIncreaseMult, SetOwnerCutEnabled, SetMinChildkeyTake>;

template <class T, class... Calls>
constexpr bool is_call(const std::variant<Calls...>*) {
  return (std::same_as<T, Calls> || ...);
}

// What copies, moves, compares and destroys seventy alternatives stands once, in call.cc: it takes
// a compiler seconds.
class RuntimeCall : public CallVariant {
 public:
  RuntimeCall();
  template <class T>
  requires(is_call<T>(static_cast<const CallVariant*>(nullptr))) RuntimeCall(T call)
      : CallVariant(std::in_place_type<T>, std::move(call)) {}
  RuntimeCall(const RuntimeCall& other);
  RuntimeCall(RuntimeCall&& other) noexcept;
  RuntimeCall& operator=(const RuntimeCall& other);
  RuntimeCall& operator=(RuntimeCall&& other) noexcept;
  ~RuntimeCall();
  bool operator==(const RuntimeCall& other) const;
};

[[nodiscard]] CallId id_of(const RuntimeCall& call);
[[nodiscard]] Bytes encode_call(const RuntimeCall& call);
// The whole of `bytes`. Errors: those of error_of(ScaleFault).
[[nodiscard]] Result<RuntimeCall> decode_call(ByteSpan bytes);
// The next call of `reader`; one of the variant's alternatives even when the reader has failed.
[[nodiscard]] RuntimeCall read_call(ScaleReader& reader);

// How many calls this build knows; for tests that want each once.
inline constexpr std::size_t kCallCount = std::variant_size_v<CallVariant>;
// The default-constructed call of that number. REQUIRES: number < kCallCount.
[[nodiscard]] RuntimeCall default_call(std::size_t number);

}  // namespace muster::chain
