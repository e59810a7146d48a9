// Balances: TAO of accounts, and the accounts of subnets, which hold the TAO of their pools.
//
// The issuance is the sum of all accounts. An account whose balance would be under the existential
// deposit ends, and the dust leaves the issuance; its nonce is kept, unlike upstream's, so that
// nothing it signed can be replayed. Source: pallet_balances; subtensor: coinbase/tao.rs,
// subnets/subnet.rs. Thread safety: none; one owner.
#pragma once

#include "chain/runtime/context.h"

namespace muster::chain::runtime {

// Whose keys nobody has: "modl" ‖ "subtensr" ‖ netuid, and where burned TAO goes.
[[nodiscard]] AccountId subnet_account(Netuid netuid);
[[nodiscard]] AccountId burn_account();
// Whether it is a subnet's account, existing or not.
[[nodiscard]] bool is_subnet_account(const AccountId& account);

[[nodiscard]] std::uint64_t balance_of(const State& state, const AccountId& account);
// What it can spend and live.
[[nodiscard]] std::uint64_t spare_balance_of(const State& state, const AccountId& account);

enum class Existence { kMayEnd, kMustLive };
// Errors: kFundsUnavailable, kNotExpendable (it must live), kBelowMinimum (a new account with too
// little).
[[nodiscard]] Outcome transfer(const Context& context, const AccountId& from, const AccountId& to,
                               std::uint64_t rao, Existence existence);

// As much of `rao` as `from` can spend and live, to a subnet's account; what was moved. Errors:
// kInsufficientBalance (none).
[[nodiscard]] Attempt<std::uint64_t> transfer_to_subnet(const Context& context, Netuid netuid,
                                                        const AccountId& from, std::uint64_t rao);
// Errors: kInsufficientBalance; those of transfer.
[[nodiscard]] Outcome transfer_from_subnet(const Context& context, Netuid netuid,
                                           const AccountId& to, std::uint64_t rao);
// A fee from a subnet's account to the block's author; recycled where the author can't receive it.
void pay_author_from_subnet(const Context& context, Netuid netuid, std::uint64_t rao);

// New TAO for an account. False, and nothing changed, when it would be a new account with too
// little.
[[nodiscard]] bool mint(const Context& context, const AccountId& to, std::uint64_t rao);
// Takes TAO out of the issuance. REQUIRES: the account has it.
void recycle(const Context& context, const AccountId& from, std::uint64_t rao);

}  // namespace muster::chain::runtime
