#include "chain/runtime/dispatch_error.h"

#include "base/check.h"

namespace muster::chain::runtime {

std::string_view name_of(DispatchError error) {
  switch (error) {
    case DispatchError::kBadOrigin: return "BadOrigin";
    case DispatchError::kBelowMinimum: return "Token(BelowMinimum)";
    case DispatchError::kFundsUnavailable: return "Token(FundsUnavailable)";
    case DispatchError::kNotExpendable: return "Token(NotExpendable)";
    case DispatchError::kInsufficientLiquidity: return "InsufficientLiquidity";
    case DispatchError::kPriceLimitExceeded: return "PriceLimitExceeded";
    case DispatchError::kReservesTooLow: return "ReservesTooLow";
    case DispatchError::kSwapInputTooLarge: return "SwapInputTooLarge";
    case DispatchError::kAccountNotAllowedCommit: return "AccountNotAllowedCommit";
    case DispatchError::kSpaceLimitExceeded: return "SpaceLimitExceeded";
    case DispatchError::kTooManyFieldsInCommitmentInfo: return "TooManyFieldsInCommitmentInfo";
    case DispatchError::kBondsMovingAverageMaxReached: return "BondsMovingAverageMaxReached";
    case DispatchError::kMaxAllowedUidsGreaterThanDefaultMaxAllowedUids:
      return "MaxAllowedUidsGreaterThanDefaultMaxAllowedUids";
    case DispatchError::kMaxAllowedUidsLessThanCurrentUids:
      return "MaxAllowedUIdsLessThanCurrentUIds";
    case DispatchError::kMaxAllowedUidsLessThanMinAllowedUids:
      return "MaxAllowedUidsLessThanMinAllowedUids";
    case DispatchError::kNegativeSigmoidSteepness: return "NegativeSigmoidSteepness";
    case DispatchError::kNotPermittedOnRootSubnet: return "NotPermittedOnRootSubnet";
    case DispatchError::kSubnetDoesNotExist: return "SubnetDoesNotExist";
    case DispatchError::kValueNotInBounds: return "ValueNotInBounds";
    case DispatchError::kActivityCutoffFactorMilliOutOfBounds:
      return "ActivityCutoffFactorMilliOutOfBounds";
    case DispatchError::kAdminActionProhibitedDuringWeightsWindow:
      return "AdminActionProhibitedDuringWeightsWindow";
    case DispatchError::kAlphaHighTooLow: return "AlphaHighTooLow";
    case DispatchError::kAlphaLowOutOfRange: return "AlphaLowOutOfRange";
    case DispatchError::kAmountTooLow: return "AmountTooLow";
    case DispatchError::kAutoEpochAlreadyImminent: return "AutoEpochAlreadyImminent";
    case DispatchError::kCanNotSetRootNetworkWeights: return "CanNotSetRootNetworkWeights";
    case DispatchError::kCannotAffordLockCost: return "CannotAffordLockCost";
    case DispatchError::kCannotBurnOrRecycleOnRootSubnet: return "CannotBurnOrRecycleOnRootSubnet";
    case DispatchError::kCannotUseSystemAccount: return "CannotUseSystemAccount";
    case DispatchError::kChildParentInconsistency: return "ChildParentInconsistency";
    case DispatchError::kCommitRevealDisabled: return "CommitRevealDisabled";
    case DispatchError::kCommitRevealEnabled: return "CommitRevealEnabled";
    case DispatchError::kCommittingWeightsTooFast: return "CommittingWeightsTooFast";
    case DispatchError::kDelegateTakeTooHigh: return "DelegateTakeTooHigh";
    case DispatchError::kDelegateTakeTooLow: return "DelegateTakeTooLow";
    case DispatchError::kDelegateTxRateLimitExceeded: return "DelegateTxRateLimitExceeded";
    case DispatchError::kDuplicateChild: return "DuplicateChild";
    case DispatchError::kDuplicateUids: return "DuplicateUids";
    case DispatchError::kDynamicTempoBlockedByCommitReveal:
      return "DynamicTempoBlockedByCommitReveal";
    case DispatchError::kEpochTriggerAlreadyPending: return "EpochTriggerAlreadyPending";
    case DispatchError::kExpiredWeightCommit: return "ExpiredWeightCommit";
    case DispatchError::kFirstEmissionBlockNumberAlreadySet:
      return "FirstEmissionBlockNumberAlreadySet";
    case DispatchError::kHotKeyAccountNotExists: return "HotKeyAccountNotExists";
    case DispatchError::kHotKeyAlreadyRegisteredInSubNet: return "HotKeyAlreadyRegisteredInSubNet";
    case DispatchError::kHotKeyNotRegisteredInNetwork: return "HotKeyNotRegisteredInNetwork";
    case DispatchError::kHotKeyNotRegisteredInSubNet: return "HotKeyNotRegisteredInSubNet";
    case DispatchError::kIncorrectCommitRevealVersion: return "IncorrectCommitRevealVersion";
    case DispatchError::kIncorrectWeightVersionKey: return "IncorrectWeightVersionKey";
    case DispatchError::kInsufficientBalance: return "InsufficientBalance";
    case DispatchError::kInvalidChild: return "InvalidChild";
    case DispatchError::kInvalidChildkeyTake: return "InvalidChildkeyTake";
    case DispatchError::kInvalidIpAddress: return "InvalidIpAddress";
    case DispatchError::kInvalidIpType: return "InvalidIpType";
    case DispatchError::kInvalidPort: return "InvalidPort";
    case DispatchError::kInvalidRevealCommitHashNotMatch: return "InvalidRevealCommitHashNotMatch";
    case DispatchError::kInvalidSubnetNumber: return "InvalidSubnetNumber";
    case DispatchError::kInvalidValue: return "InvalidValue";
    case DispatchError::kLiquidAlphaDisabled: return "LiquidAlphaDisabled";
    case DispatchError::kMechanismDoesNotExist: return "MechanismDoesNotExist";
    case DispatchError::kNeedWaitingMoreBlocksToStarCall: return "NeedWaitingMoreBlocksToStarCall";
    case DispatchError::kNetworkTxRateLimitExceeded: return "NetworkTxRateLimitExceeded";
    case DispatchError::kNeuronNoValidatorPermit: return "NeuronNoValidatorPermit";
    case DispatchError::kNoNeuronIdAvailable: return "NoNeuronIdAvailable";
    case DispatchError::kNoWeightsCommitFound: return "NoWeightsCommitFound";
    case DispatchError::kNonAssociatedColdKey: return "NonAssociatedColdKey";
    case DispatchError::kNotEnoughBalanceToStake: return "NotEnoughBalanceToStake";
    case DispatchError::kNotEnoughStakeToSetChildkeys: return "NotEnoughStakeToSetChildkeys";
    case DispatchError::kNotEnoughStakeToSetWeights: return "NotEnoughStakeToSetWeights";
    case DispatchError::kNotEnoughStakeToWithdraw: return "NotEnoughStakeToWithdraw";
    case DispatchError::kProportionOverflow: return "ProportionOverflow";
    case DispatchError::kRegistrationNotPermittedOnRootSubnet:
      return "RegistrationNotPermittedOnRootSubnet";
    case DispatchError::kRegistrationPriceLimitExceeded: return "RegistrationPriceLimitExceeded";
    case DispatchError::kRevealPeriodTooLarge: return "RevealPeriodTooLarge";
    case DispatchError::kRevealPeriodTooSmall: return "RevealPeriodTooSmall";
    case DispatchError::kRevealTooEarly: return "RevealTooEarly";
    case DispatchError::kSameAutoStakeHotkeyAlreadySet: return "SameAutoStakeHotkeyAlreadySet";
    case DispatchError::kSameNetuid: return "SameNetuid";
    case DispatchError::kServingRateLimitExceeded: return "ServingRateLimitExceeded";
    case DispatchError::kSettingWeightsTooFast: return "SettingWeightsTooFast";
    case DispatchError::kSlippageTooHigh: return "SlippageTooHigh";
    case DispatchError::kStakeTooLowForRoot: return "StakeTooLowForRoot";
    case DispatchError::kSubNetRegistrationDisabled: return "SubNetRegistrationDisabled";
    case DispatchError::kSubnetLimitReached: return "SubnetLimitReached";
    case DispatchError::kSubnetNotExists: return "SubnetNotExists";
    case DispatchError::kSubtokenDisabled: return "SubtokenDisabled";
    case DispatchError::kTempoOutOfBounds: return "TempoOutOfBounds";
    case DispatchError::kTooManyChildren: return "TooManyChildren";
    case DispatchError::kTooManyRegistrationsThisBlock: return "TooManyRegistrationsThisBlock";
    case DispatchError::kTooManyRegistrationsThisInterval:
      return "TooManyRegistrationsThisInterval";
    case DispatchError::kTooManyUidsPerMechanism: return "TooManyUIDsPerMechanism";
    case DispatchError::kTooManyUnrevealedCommits: return "TooManyUnrevealedCommits";
    case DispatchError::kTransferDisallowed: return "TransferDisallowed";
    case DispatchError::kTxChildkeyTakeRateLimitExceeded: return "TxChildkeyTakeRateLimitExceeded";
    case DispatchError::kTxRateLimitExceeded: return "TxRateLimitExceeded";
    case DispatchError::kUidVecContainInvalidOne: return "UidVecContainInvalidOne";
    case DispatchError::kUidsLengthExceedUidsInSubNet: return "UidsLengthExceedUidsInSubNet";
    case DispatchError::kWeightVecLengthIsLow: return "WeightVecLengthIsLow";
    case DispatchError::kWeightVecNotEqualSize: return "WeightVecNotEqualSize";
  }
  MUSTER_UNREACHABLE();
}

}  // namespace muster::chain::runtime
