// Refusal: why an extrinsic doesn't get into a block: exactly one reason, the first that applies,
// in this order.
//
// What a refusal costs its sender is nothing: no fee, no nonce. Checks that only one kind of call
// knows come last and have upstream's codes (1010 "Custom error: N"). Source: subtensor:
// runtime/src/lib.rs (the order of extensions), guards/*, common/src/transaction_error.rs. Thread
// safety: plain values.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace muster::chain::runtime {

enum class Refusal : std::uint8_t {
  kNone,
  kMalformed,          // not the canonical bytes of a signed extrinsic of a call that is known
  kUnsupportedScheme,  // signed by a scheme that this build doesn't verify
  kAncientBirthBlock,  // a mortal extrinsic from before the blocks whose hashes are kept, or of a
                       // block to come
  kBadProof,     // not its sender's signature, or made for another genesis, version or birth block
  kStale,        // its nonce was used
  kFuture,       // nonces before its own are missing
  kPayment,      // its sender can't pay the fee
  kStakeTooLow,  // 1: too little stake to set weights
  kRateLimited,  // 6
  kNotRegistered,         // 10: serving needs a registered hotkey
  kInvalidIpAddress,      // 11
  kServingRateLimited,    // 12
  kInvalidPort,           // 13
  kCommitNotFound,        // 16
  kRevealOutsideWindow,   // 17
  kNonAssociatedColdkey,  // 25
  kTakeTooLow,            // 26
  kTakeTooHigh,           // 27
  kHotkeyUnknown,         // 4
  kBadRequest,            // 255: what upstream gives no code
  kFreeCallFails,  // ours: a call without fee that would fail, which would cost its sender nothing
};
inline constexpr int kRefusalCount = static_cast<int>(Refusal::kFreeCallFails) + 1;

[[nodiscard]] std::string_view name_of(Refusal refusal);
// Upstream's custom error code.
[[nodiscard]] std::optional<std::uint8_t> custom_code_of(Refusal refusal);

}  // namespace muster::chain::runtime
