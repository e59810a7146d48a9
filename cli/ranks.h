// The processes of one miner: the options that ask for them, and how they are started. Thread
// safety: values.
#pragma once

#include "cli/node_options.h"
#include "trainer/ranks/sharded_inner_loop.h"

namespace muster::cli {

struct RankChoice {
  unsigned ranks = 0, gpus = 0;  // 0: not asked for
  bool shard_parameters = false;
  [[nodiscard]] unsigned count() const { return std::max({ranks, gpus, 1u}); }
};
void add_rank_options(Command command, RankChoice& choice);
// Errors: kInvalidArgument (options that contradict each other).
[[nodiscard]] Status set_ranks(const RankChoice& choice, trainer::TrainerConfig& config);

// Several processes `muster rank`, with the miner's own options. Their output goes to rank-N.log in
// the node's folder. Errors: those of make_sharded_inner_loop.
[[nodiscard]] Result<std::unique_ptr<protocol::InnerLoop>> make_ranked_loop(
    const NodeOptions& options, const ComputeChoice& compute, const RankChoice& ranks,
    const trainer::TrainerConfig& config, std::span<const float> theta, const NodeBase& node);

}  // namespace muster::cli
