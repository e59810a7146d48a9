// NetworkView: what a training network needs to see of its subnet.
//
// A subnet knows no roles, only stake and permits. Thread safety: pure functions.
#pragma once

#include "chain/runtime/ledger.h"
#include "protocol/ledger_client.h"

namespace muster::chain {

// Registrations that Neuron::replaced_after looks ahead.
inline constexpr std::uint32_t kRegistrationsAhead = 16;

// Errors: kNotFound (no such subnet).
[[nodiscard]] Result<protocol::Metagraph> network_view(const runtime::Ledger& ledger,
                                                       Netuid netuid);

}  // namespace muster::chain
