#include "chain/runtime/refusal.h"

#include "base/check.h"

namespace muster::chain::runtime {

std::string_view name_of(Refusal refusal) {
  switch (refusal) {
    case Refusal::kNone:
      return "accepted";
    case Refusal::kMalformed:
      return "not an extrinsic that this ledger knows";
    case Refusal::kUnsupportedScheme:
      return "only Ed25519 signatures are verified here";
    case Refusal::kAncientBirthBlock:
      return "its birth block is too old, or still to come";
    case Refusal::kBadProof:
      return "bad signature, or made for another ledger, version or birth block";
    case Refusal::kStale:
      return "its nonce was used";
    case Refusal::kFuture:
      return "nonces before its own are missing";
    case Refusal::kPayment:
      return "the balance is too low for the fee";
    case Refusal::kStakeTooLow:
      return "too little stake to set weights";
    case Refusal::kRateLimited:
      return "too soon after the last time";
    case Refusal::kNotRegistered:
      return "hotkey not registered in the subnet";
    case Refusal::kInvalidIpAddress:
      return "not a public IP address";
    case Refusal::kServingRateLimited:
      return "served too soon after the last time";
    case Refusal::kInvalidPort:
      return "port 0";
    case Refusal::kCommitNotFound:
      return "no commit of these weights";
    case Refusal::kRevealOutsideWindow:
      return "outside the epoch in which the commit is revealed";
    case Refusal::kNonAssociatedColdkey:
      return "the hotkey belongs to another coldkey";
    case Refusal::kTakeTooLow:
      return "take too low";
    case Refusal::kTakeTooHigh:
      return "take too high";
    case Refusal::kHotkeyUnknown:
      return "hotkey unknown";
    case Refusal::kBadRequest:
      return "bad request";
    case Refusal::kFreeCallFails:
      return "a free call that would fail";
  }
  MUSTER_UNREACHABLE();
}

std::optional<std::uint8_t> custom_code_of(Refusal refusal) {
  switch (refusal) {
    case Refusal::kStakeTooLow:
      return 1;
    case Refusal::kHotkeyUnknown:
      return 4;
    case Refusal::kRateLimited:
      return 6;
    case Refusal::kNotRegistered:
      return 10;
    case Refusal::kInvalidIpAddress:
      return 11;
    case Refusal::kServingRateLimited:
      return 12;
    case Refusal::kInvalidPort:
      return 13;
    case Refusal::kCommitNotFound:
      return 16;
    case Refusal::kRevealOutsideWindow:
      return 17;
    case Refusal::kNonAssociatedColdkey:
      return 25;
    case Refusal::kTakeTooLow:
      return 26;
    case Refusal::kTakeTooHigh:
      return 27;
    case Refusal::kBadRequest:
    case Refusal::kFreeCallFails:
      return 255;
    default:
      return std::nullopt;
  }
}

}  // namespace muster::chain::runtime
