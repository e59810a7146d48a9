// Draws: which sequences a validator measures on. Everyone can redo them once the secret is out.
//
// Screening draws follow from (secret, beacon), scoring draws from (secret, commit root): both were fixed
// by the secret's hash in an earlier manifest, and the second could not be known before the commits closed.
// Thread safety: pure functions.
#pragma once

#include <cstdint>
#include <vector>

#include "protocol/assignment.h"
#include "protocol/params.h"

namespace muster::verify {

[[nodiscard]] std::vector<std::uint64_t> screening_draw(const protocol::ProtocolParams& params,
                                                        const Hash& run_id,
                                                        const protocol::RoundOpen& open,
                                                        const protocol::Secret& secret);

[[nodiscard]] std::vector<std::uint64_t> shared_draw(const protocol::ProtocolParams& params,
                                                     const Hash& run_id,
                                                     const protocol::RoundOpen& open,
                                                     const protocol::Secret& secret,
                                                     const Hash& commit_root);

// Of the first `used` sequences that miner `uid` was assigned.
[[nodiscard]] std::vector<std::uint64_t> own_draw(const protocol::ProtocolParams& params,
                                                  const Hash& run_id,
                                                  const protocol::RoundOpen& open,
                                                  const protocol::Secret& secret,
                                                  const Hash& commit_root, Uid uid,
                                                  std::uint32_t used);

}  // namespace muster::verify
