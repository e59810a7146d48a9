// What commits to weights before they are shown: the hash that reveal_weights must meet, and the
// plaintext of a timelocked commit.
//
// Source: subtensor: subnets/weights.rs, coinbase/reveal_commits.rs. Thread safety: pure functions.
#pragma once

#include <cstdint>
#include <vector>

#include "chain/codec/subtensor_types.h"

namespace muster::chain {

// BLAKE2b-256 of (hotkey, mechanism_index, uids, weights, salt, version key) in SCALE.
[[nodiscard]] Hash weights_commit_hash(const AccountId& hotkey, std::uint16_t index,
                                       const std::vector<std::uint16_t>& uids,
                                       const std::vector<std::uint16_t>& weights,
                                       const std::vector<std::uint16_t>& salt,
                                       std::uint64_t version_key);

// Version 4: names the hotkey, so that nobody can submit another's ciphertext as his own.
[[nodiscard]] Bytes timelocked_plaintext(const AccountId& hotkey,
                                         const std::vector<std::uint16_t>& uids,
                                         const std::vector<std::uint16_t>& weights,
                                         std::uint64_t version_key);

}  // namespace muster::chain
