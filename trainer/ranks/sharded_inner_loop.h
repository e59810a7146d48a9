// A miner of several processes: its two ends. The miner's own has θ, in memory that its ranks see,
// and asks them; a rank's trains its share until the miner is gone.
//
// Thread safety: as protocol/inner_loop.h; run_rank is a process's whole work.
#pragma once

#include "trainer/ranks/rank_group.h"
#include "trainer/trainer.h"

namespace muster::trainer {

struct RankLaunch {
  unsigned size = 2;
  std::filesystem::path folder;  // for what ranks need to find each other; the miner's alone
  // Starts a process that calls run_rank() with this seat; it inherits the seat's two descriptors.
  StartRank start;
  std::function<void(const std::string&)> note;  // a line for the log
};

// θ starts as `parameters`. Errors: those of the ranks, naming which; kInvalidArgument (more ranks
// than sequences in a batch; a device left open).
[[nodiscard]] Result<std::unique_ptr<protocol::InnerLoop>> make_sharded_inner_loop(
    const TrainerConfig& config, std::span<const float> parameters, RankLaunch launch);

// Takes the seat's descriptors. With Device::kCuda rank r computes on card r. The miner is told why
// a rank cannot be.
[[nodiscard]] Status run_rank(TrainerConfig config, const RankSeat& seat);

}  // namespace muster::trainer
