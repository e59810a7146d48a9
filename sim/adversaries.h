// Adversaries: miners that want pay without work, as conducts that the real miner core runs with.
//
// Thread safety: none.
#pragma once

#include <memory>

#include "base/prng.h"
#include "miner/miner.h"

namespace muster::sim {

// Random indices and signs with an honest norm; trains nothing.
[[nodiscard]] std::shared_ptr<miner::Conduct> noise_conduct(const compression::Layout& layout,
                                                            std::uint64_t seed);
// Sends the last aggregate back as its own payload; trains nothing.
[[nodiscard]] std::shared_ptr<miner::Conduct> replay_conduct(const compression::Layout& layout);
// Trains and commits, but keeps its key in every second round.
[[nodiscard]] std::shared_ptr<miner::Conduct> withholding_conduct();

// Does all the work, but on sequences of its own choice among `count`.
[[nodiscard]] std::shared_ptr<miner::Conduct> wrong_data_conduct(std::uint64_t count,
                                                                 std::uint64_t seed);

}  // namespace muster::sim
