// DispatchError: why a call that got into a block didn't do what it asked for, under upstream's
// names.
//
// Closed: one line per reason. Source: subtensor: macros/errors.rs,
// pallets/{admin-utils,swap,commitments}, pallet_balances. Thread safety: plain values.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>
#include <variant>

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
  // ours
  kRulesFixedAtGenesis,
};
inline constexpr int kDispatchErrorCount =
    static_cast<int>(DispatchError::kRulesFixedAtGenesis) + 1;

// Upstream's name where it has one, as a client of it would see it.
[[nodiscard]] std::string_view name_of(DispatchError error);

// Nothing, or why not.
using Outcome = std::optional<DispatchError>;
inline constexpr std::nullopt_t kDone = std::nullopt;

// A value, or why not.
template <class T>
class [[nodiscard]] Attempt {
 public:
  Attempt(T value) : content_(std::in_place_index<0>, std::move(value)) {}   // NOLINT
  Attempt(DispatchError error) : content_(std::in_place_index<1>, error) {}  // NOLINT
  [[nodiscard]] bool succeeded() const { return content_.index() == 0; }
  // REQUIRES: succeeded().
  [[nodiscard]] const T& value() const { return std::get<0>(content_); }
  // REQUIRES: !succeeded().
  [[nodiscard]] DispatchError error() const { return std::get<1>(content_); }

 private:
  std::variant<T, DispatchError> content_;
};

}  // namespace muster::chain::runtime

// MUSTER_ENSURE(condition, kName): returns DispatchError::kName unless `condition` holds.
#define MUSTER_ENSURE(condition, reason)                                      \
  do {                                                                        \
    if (!(condition)) return ::muster::chain::runtime::DispatchError::reason; \
  } while (false)
// MUSTER_ATTEMPT(f()): returns f()'s error, if any.
#define MUSTER_ATTEMPT(expression)                                        \
  do {                                                                    \
    if (const auto muster_outcome = (expression)) return *muster_outcome; \
  } while (false)
#define MUSTER_ATTEMPT_VALUE_(attempt, declaration, expression) \
  const auto attempt = (expression);                            \
  if (!attempt.succeeded()) return attempt.error();             \
  declaration = attempt.value()
#define MUSTER_ATTEMPT_CONCAT_(a, b) a##b
#define MUSTER_ATTEMPT_CONCAT(a, b) MUSTER_ATTEMPT_CONCAT_(a, b)
// MUSTER_ATTEMPT_VALUE(auto x, f()): declares x from f()'s value or returns f()'s error.
#define MUSTER_ATTEMPT_VALUE(declaration, expression) \
  MUSTER_ATTEMPT_VALUE_(MUSTER_ATTEMPT_CONCAT(muster_attempt_, __LINE__), declaration, expression)
