// The beacon: each round's public randomness, which nobody chose alone.
//
// beacon₀ = H(run_id); beaconᵣ₊₁ = H(beaconᵣ, secrets revealed in round r, by uid). A validator's
// secret for round r is derived from its hotkey, so it survives any crash, and its hash stands in
// the roster of round r − 1, so it was fixed before beaconᵣ was known. Thread safety: pure
// functions.
#pragma once

#include <utility>
#include <vector>

#include "base/hash.h"
#include "base/sign.h"
#include "protocol/messages.h"

namespace muster::protocol {

[[nodiscard]] Hash first_beacon(const Hash& run_id);
// `secrets` ascending by uid.
[[nodiscard]] Hash next_beacon(const Hash& beacon,
                               const std::vector<std::pair<Uid, Secret>>& secrets);

// Of a hotkey, for one use in one round: the same after any crash.
[[nodiscard]] Secret round_secret(const SigningKey& key, const Hash& run_id, std::string_view use,
                                  Round round);
[[nodiscard]] Secret validator_secret(const SigningKey& key, const Hash& run_id, Round round);
[[nodiscard]] Hash secret_hash(const Hash& run_id, Round round, const PublicKey& validator,
                               const Secret& secret);
class ChainHead;
// Whether this is the secret for the coming round whose hash stands in the last roster.
[[nodiscard]] bool is_promised(const ChainHead& head, const PublicKey& validator,
                               const Secret& secret);

}  // namespace muster::protocol
