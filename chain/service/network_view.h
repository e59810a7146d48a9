// NetworkView: what a training network needs to see of its subnet.
//
// A subnet knows no roles, only stake and permits. Who validates says so with a commitment on the ledger, and then needs
// the stake and the permit that weights need; the owner's hotkey is the coordinator's. Thread safety: pure functions.
#pragma once

#include "chain/runtime/ledger.h"
#include "protocol/ledger_client.h"

namespace muster::chain {

// What a validator commits to with set_commitment.
[[nodiscard]] CommitmentData validator_commitment();

// Whether the account has committed to that: a commitment outlives the uid.
[[nodiscard]] bool declares_validator(const runtime::Subnet& subnet, const AccountId& hotkey);
// What takes it back.
[[nodiscard]] CommitmentData miner_commitment();

// Registrations that Neuron::replaced_after looks ahead.
inline constexpr std::uint32_t kRegistrationsAhead = 16;

// Errors: kNotFound (no such subnet).
[[nodiscard]] Result<protocol::Metagraph> network_view(const runtime::Ledger& ledger, Netuid netuid);

}  // namespace muster::chain
