// NeuronWatch: what a node should know about who is about to lose a uid, and whether to buy its own
// back.
//
// On a full subnet a registration replaces the neuron with the least emission that is no longer
// immune; a permit protects nobody. Thread safety: pure functions of plain values.
#pragma once

#include <optional>
#include <string>

#include "protocol/ledger_client.h"

namespace muster::chain {

// One sentence when nobody may validate, though somebody with stake had the time to get a permit,
// or when the last of those that may and have set weights can be replaced by the next registrations
// (protocol::Neuron::replaced_after); nothing while all is well.
[[nodiscard]] std::optional<std::string> permit_warning(const protocol::Metagraph& metagraph);

// What to do about one's own uid.
enum class UidStep : std::uint8_t {
  kNone,      // it is there, or never was
  kRegister,  // it was lost, and what it costs is within the budget
  kTooDear,   // it was lost, and costs more than the budget has left
};
// `has_stake`: on the subnet, which a hotkey gets only while it has a uid. `spent_rao`: on
// registrations before.
[[nodiscard]] UidStep uid_step(const protocol::Metagraph& metagraph, const PublicKey& hotkey,
                               bool has_stake, std::uint64_t spent_rao, std::uint64_t budget_rao);

}  // namespace muster::chain
