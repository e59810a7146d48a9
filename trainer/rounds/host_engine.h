// A RoundEngine on this machine's CPU: alone, or as one of the ranks of a miner.
//
// Among ranks the gradient, what the optimizer remembers and error feedback are shared out, and
// where it is asked for the working copy too. Thread safety: as round_engine.h.
#pragma once

#include <memory>

#include "base/collective.h"
#include "trainer/rounds/round_engine.h"
#include "trainer/trainer.h"

namespace muster::trainer {

// `collective`: null for a miner of one process; it must outlive the engine. Errors: those of
// Llama::make.
[[nodiscard]] Result<std::unique_ptr<RoundEngine>> make_host_engine(const TrainerConfig& config,
                                                                    Collective* collective);

}  // namespace muster::trainer
