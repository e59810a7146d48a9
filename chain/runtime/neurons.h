// Neurons: the uids of a subnet, who has one, and who loses it.
//
// Source: subtensor: subnets/{uids,registration}.rs. Thread safety: none; one owner.
#pragma once

#include "chain/runtime/context.h"

namespace muster::chain::runtime {

// A new uid at the end. REQUIRES: the hotkey has none there.
std::uint16_t append_neuron(const Context& context, Subnet& subnet, const AccountId& hotkey);
// Gives a uid to another hotkey, with nothing of the old one's but its stake; nothing happens to
// the owner's hotkey.
void replace_neuron(const Context& context, Subnet& subnet, std::uint16_t uid,
                    const AccountId& hotkey);

[[nodiscard]] std::optional<std::uint16_t> owner_uid_of(const Subnet& subnet);
// Uids of the subnet owner's that are never replaced: its hotkey's, then the oldest.
[[nodiscard]] std::vector<std::uint16_t> immortal_uids_of(const State& state, const Subnet& subnet);
// Hotkeys of the subnet owner's, whose incentive is burned or recycled.
[[nodiscard]] std::vector<AccountId> owner_hotkeys_of(const State& state, const Subnet& subnet);
// By uid: how many registrations would replace that neuron, of the next `count`. Source: as
// uid_to_replace.
[[nodiscard]] std::vector<std::optional<std::uint32_t>> replacements_of(const State& state,
                                                                        const Subnet& subnet,
                                                                        std::uint32_t count);
// Whom a new neuron replaces when all uids are taken; nothing if nobody can be.
[[nodiscard]] std::optional<std::uint16_t> uid_to_replace(const State& state, const Subnet& subnet);

// Commits and reveals by that epoch: one further where an epoch is due in this block.
[[nodiscard]] EpochClock clock_of(const Subnet& subnet);
[[nodiscard]] std::uint64_t commit_epoch_of(const State& state, const Subnet& subnet);

}  // namespace muster::chain::runtime
