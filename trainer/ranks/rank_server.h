// A rank's side of its channel: does what its miner asks for, one thing after the other.
//
// Thread safety: one thread.
#pragma once

#include "trainer/ranks/rank_channel.h"
#include "trainer/rounds/round_trainer.h"

namespace muster::trainer {

// What a rank says first: that it is ready, or why it cannot be.
[[nodiscard]] Status announce(RankChannel& channel, const Status& readiness);

// Returns when the miner is gone, or after a failure that the other ranks cannot go on with; the
// miner has been told. Error: kIo, kMalformed (the miner asks for what makes no sense).
[[nodiscard]] Status serve_rank(RankChannel& channel, RoundTrainer& trainer,
                                const compression::Layout& layout);

}  // namespace muster::trainer
