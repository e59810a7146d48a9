// DispatchError: why a call that got into a block didn't do what it asked for, under upstream's names.
//
// Closed: one line per reason. Source: subtensor: macros/errors.rs, pallets/{admin-utils,swap,commitments}, pallet_balances.
// Thread safety: plain values.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace muster::chain::runtime {

enum class DispatchError : std::uint8_t {
  kBadOrigin,
  // balances
  kBelowMinimum,
  kFundsUnavailable,
  kNotExpendable,
  // swap
  kInsufficientLiquidity,
  kPriceLimitExceeded,
  kReservesTooLow,
  kSwapInputTooLarge,
  // commitments
  kAccountNotAllowedCommit,
  kSpaceLimitExceeded,
  kTooManyFieldsInCommitmentInfo,
  // admin-utils
  kBondsMovingAverageMaxReached,
  kMaxAllowedUidsGreaterThanDefaultMaxAllowedUids,
  kMaxAllowedUidsLessThanCurrentUids,
  kMaxAllowedUidsLessThanMinAllowedUids,
  kNegativeSigmoidSteepness,
  kNotPermittedOnRootSubnet,
  kSubnetDoesNotExist,
  kValueNotInBounds,
  // subtensor
  kActivityCutoffFactorMilliOutOfBounds,
  kAdminActionProhibitedDuringWeightsWindow,
  kAlphaHighTooLow,
  kAlphaLowOutOfRange,
  kAmountTooLow,
  kAutoEpochAlreadyImminent,
  kCanNotSetRootNetworkWeights,
  kCannotAffordLockCost,
  kCannotBurnOrRecycleOnRootSubnet,
  kCannotUseSystemAccount,
  kChildParentInconsistency,
  kCommitRevealDisabled,
  kCommitRevealEnabled,
  kCommittingWeightsTooFast,
  kDelegateTakeTooHigh,
  kDelegateTakeTooLow,
  kDelegateTxRateLimitExceeded,
  kDuplicateChild,
  kDuplicateUids,
  kDynamicTempoBlockedByCommitReveal,
  kEpochTriggerAlreadyPending,
  kExpiredWeightCommit,
  kFirstEmissionBlockNumberAlreadySet,
  kHotKeyAccountNotExists,
  kHotKeyAlreadyRegisteredInSubNet,
  kHotKeyNotRegisteredInNetwork,
  kHotKeyNotRegisteredInSubNet,
  kIncorrectCommitRevealVersion,
  kIncorrectWeightVersionKey,
  kInsufficientBalance,
  kInvalidChild,
  kInvalidChildkeyTake,
  kInvalidIpAddress,
  kInvalidIpType,
  kInvalidPort,
  kInvalidRevealCommitHashNotMatch,
  kInvalidSubnetNumber,
  kInvalidValue,
  kLiquidAlphaDisabled,
  kMechanismDoesNotExist,
  kNeedWaitingMoreBlocksToStarCall,
  kNetworkTxRateLimitExceeded,
  kNeuronNoValidatorPermit,
  kNoNeuronIdAvailable,
  kNoWeightsCommitFound,
  kNonAssociatedColdKey,
  kNotEnoughBalanceToStake,
  kNotEnoughStakeToSetChildkeys,
  kNotEnoughStakeToSetWeights,
  kNotEnoughStakeToWithdraw,
  kProportionOverflow,
  kRegistrationNotPermittedOnRootSubnet,
  kRegistrationPriceLimitExceeded,
  kRevealPeriodTooLarge,
  kRevealPeriodTooSmall,
  kRevealTooEarly,
  kSameAutoStakeHotkeyAlreadySet,
  kSameNetuid,
  kServingRateLimitExceeded,
  kSettingWeightsTooFast,
  kSlippageTooHigh,
  kStakeTooLowForRoot,
  kSubNetRegistrationDisabled,
  kSubnetLimitReached,
  kSubnetNotExists,
  kSubtokenDisabled,
  kTempoOutOfBounds,
  kTooManyChildren,
  kTooManyRegistrationsThisBlock,
  kTooManyRegistrationsThisInterval,
  kTooManyUidsPerMechanism,
  kTooManyUnrevealedCommits,
  kTransferDisallowed,
  kTxChildkeyTakeRateLimitExceeded,
  kTxRateLimitExceeded,
  kUidVecContainInvalidOne,
  kUidsLengthExceedUidsInSubNet,
  kWeightVecLengthIsLow,
  kWeightVecNotEqualSize,
};
inline constexpr int kDispatchErrorCount = static_cast<int>(DispatchError::kWeightVecNotEqualSize) + 1;

// Upstream's name, as a client of it would see it.
[[nodiscard]] std::string_view name_of(DispatchError error);

// Nothing, or why not.
using Outcome = std::optional<DispatchError>;
inline constexpr std::nullopt_t kDone = std::nullopt;

}  // namespace muster::chain::runtime

// MUSTER_ENSURE(condition, kName): returns DispatchError::kName unless `condition` holds.
#define MUSTER_ENSURE(condition, reason) \
  do {                                   \
    if (!(condition)) return ::muster::chain::runtime::DispatchError::reason; \
  } while (false)
// MUSTER_ATTEMPT(f()): returns f()'s error, if any.
#define MUSTER_ATTEMPT(expression)                       \
  do {                                                   \
    if (const auto muster_outcome = (expression)) return *muster_outcome; \
  } while (false)
