// Who makes room: the neuron that a registration replaces, and the subnet that a new one replaces.
//
// Source: subtensor: subnets/registration.rs (get_neuron_to_prune, get_immune_owner_tuples),
// utils/misc.rs (get_neuron_is_immune), coinbase/root.rs (get_network_to_prune).
// Thread safety: plain values, pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "chain/fixed/fixed.h"

namespace muster::chain {

struct PrunableNeuron {
  std::uint64_t emission = 0;  // of the last epoch, in rao
  std::uint64_t registered_at = 0;
  bool is_immortal = false;  // one of the owner's that are never replaced
};

[[nodiscard]] bool is_immune(std::uint64_t block, std::uint64_t registered_at,
                             std::uint16_t immunity_period);

// The uid, an index of `neurons`, with the least (emission, registration, uid): of the neurons past
// their immunity if there are more than `non_immune_min` of these, else of the immune ones. Nothing
// where there is none.
[[nodiscard]] std::optional<std::uint16_t> neuron_to_prune(std::span<const PrunableNeuron> neurons,
                                                           std::uint64_t block,
                                                           std::uint16_t immunity_period,
                                                           std::uint16_t non_immune_min);

// By uid: how many registrations from now on replace that neuron, if nothing else happens (1: the
// next one does); nothing for those that are never replaced or not within `count` registrations.
// `free_places`: uids that are given away first.
[[nodiscard]] std::vector<std::optional<std::uint32_t>> registrations_until_replaced(
    std::span<const PrunableNeuron> neurons, std::uint64_t block, std::uint16_t immunity_period,
    std::uint16_t non_immune_min, std::size_t free_places, std::uint32_t count);

struct OwnedNeuron {
  std::uint16_t uid = 0;
  std::uint64_t registered_at = 0;
};

// The neurons of a subnet's owner that are never replaced: its longest registered ones, of equal
// ones the lower uid, at most `limit`. The subnet's own hotkey displaces the last of them.
[[nodiscard]] std::vector<std::uint16_t> immortal_uids(std::span<const OwnedNeuron> owned,
                                                       std::optional<std::uint16_t> subnet_hotkey,
                                                       std::uint16_t limit);

struct PrunableSubnet {
  std::uint16_t netuid = 0;
  U64F64 moving_price;
  std::uint64_t registered_at = 0;
};

// The netuid with the least (moving price, registration) past its immunity; the first of equals.
// Nothing where all are immune.
[[nodiscard]] std::optional<std::uint16_t> subnet_to_prune(std::span<const PrunableSubnet> subnets,
                                                           std::uint64_t block,
                                                           std::uint64_t immunity_period);

}  // namespace muster::chain
