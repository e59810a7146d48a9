// Stakes: who holds how much alpha (of root: TAO) behind which hotkey, and whose hotkey it is.
//
// Source: subtensor: staking/{stake_utils,helpers}.rs. Thread safety: none; one owner.
#pragma once

#include "chain/runtime/context.h"

namespace muster::chain::runtime {

// ---- keys

[[nodiscard]] const HotkeyRecord* find_hotkey(const State& state, const AccountId& hotkey);
[[nodiscard]] bool owns_hotkey(const State& state, const AccountId& coldkey,
                               const AccountId& hotkey);
// All zero for a hotkey that isn't known.
[[nodiscard]] AccountId owner_of(const State& state, const AccountId& hotkey);
[[nodiscard]] std::uint16_t take_of(const State& state, const AccountId& hotkey);
// Makes an unknown hotkey this coldkey's. Errors: kCannotUseSystemAccount.
[[nodiscard]] Outcome associate_hotkey(const Context& context, const AccountId& coldkey,
                                       const AccountId& hotkey);
void become_delegate(const Context& context, const AccountId& hotkey);

// ---- amounts, in alpha-rao; of root in rao

[[nodiscard]] std::uint64_t stake_of(const State& state, const AccountId& hotkey,
                                     const AccountId& coldkey, Netuid netuid);
[[nodiscard]] std::uint64_t stake_of(const State& state, const AccountId& hotkey, Netuid netuid);
// At the present prices, over all subnets, in rao.
[[nodiscard]] std::uint64_t total_stake_of(const State& state, const AccountId& hotkey);

// REQUIRES: the subnet exists.
void increase_stake(const Context& context, const AccountId& hotkey, const AccountId& coldkey,
                    Netuid netuid, std::uint64_t amount);
// Nothing happens when the stake is less. REQUIRES: the subnet exists.
void decrease_stake(const Context& context, const AccountId& hotkey, const AccountId& coldkey,
                    Netuid netuid, std::uint64_t amount);
// Pays everyone who stakes behind the hotkey pro rata. REQUIRES: the subnet exists.
void increase_stake_of_all(const Context& context, const AccountId& hotkey, Netuid netuid,
                           std::uint64_t amount);
// Whether an increase by `amount` would give any share.
[[nodiscard]] bool increase_moves_shares(const State& state, const AccountId& hotkey, Netuid netuid,
                                         std::uint64_t amount);

// ---- coldkeys that stake on root, in the order in which their dividends are claimed

void add_root_staker(const Context& context, const AccountId& coldkey);
void remove_root_staker(const Context& context, const AccountId& coldkey);
[[nodiscard]] bool has_root_stake(const State& state, const AccountId& coldkey);

// ---- alpha supply

// Takes alpha out of the issuance; of what is outside the pool.
void recycle_alpha(const Context& context, Netuid netuid, std::uint64_t amount);
// Destroys alpha that stays in the issuance.
void burn_alpha(const Context& context, Netuid netuid, std::uint64_t amount);
[[nodiscard]] std::uint64_t alpha_issuance_of(const SubnetEconomy& economy);
// TAO per alpha at the pool; 1 on root.
[[nodiscard]] U64F64 price_of(const State& state, Netuid netuid);
[[nodiscard]] U96F32 tao_weight_of(const NetworkParameters& network);

}  // namespace muster::chain::runtime
