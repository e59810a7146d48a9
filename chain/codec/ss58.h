// SS58 addresses of accounts: base58(prefix ‖ key ‖ first two bytes of blake2b-512("SS58PRE" ‖
// prefix ‖ key)).
//
// The prefix names the network: 42 is Substrate's generic one and Bittensor's; 64..16383 take two
// bytes. Source: the SS58 registry's format; sp_core crypto. Thread safety: pure functions.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/sign.h"

namespace muster::chain {

// An account's id is its raw public key; hotkeys and coldkeys are accounts.
using AccountId = PublicKey;

inline constexpr std::uint16_t kSubtensorPrefix = 42;
inline constexpr std::uint16_t kSs58PrefixMax = 16383;

struct Ss58Address {
  std::uint16_t prefix = kSubtensorPrefix;
  AccountId account;
  bool operator==(const Ss58Address&) const = default;
};

// REQUIRES: prefix <= kSs58PrefixMax.
[[nodiscard]] std::string ss58_encode(const AccountId& account,
                                      std::uint16_t prefix = kSubtensorPrefix);
// Errors: kMalformed (not base58, another length, a prefix not in its shortest form or reserved),
// kBadHash.
[[nodiscard]] Result<Ss58Address> ss58_decode(std::string_view text);
// The account of an address of Subtensor's prefix. Errors: those of ss58_decode; kWrongRun (another
// prefix).
[[nodiscard]] Result<AccountId> account_of_address(std::string_view text);

}  // namespace muster::chain
