// ShardPlan: which rank keeps what of a model.
//
// Parameters are shared in two ways, each rank one range of both: by parameters, for what optimizes
// them (fp32 masters and moments, as evenly as may be), and by whole segments, for what compresses
// (error feedback and Δ), so that each rank codes segments of its own and payloads do not depend on
// the number of ranks. The two differ by less than a segment or a tensor at each border.
// (Rajbhandari et al., "ZeRO", arXiv 1910.02054.) Thread safety: values and pure functions.
#pragma once

#include <vector>

#include "base/range.h"
#include "trainer/optim/optimizer.h"

namespace muster::trainer {

struct ShardPlan {
  // By rank; neighbours meet, and together they are all. A range may be empty where there are few
  // tensors or segments.
  std::vector<Range> optimized;   // of parameters
  std::vector<Range> segments;    // of the layout's segments
  std::vector<Range> compressed;  // of parameters: those of the segments
};

// Under Muon a matrix of a decoder layer is optimized by one rank as a whole.
[[nodiscard]] ShardPlan make_shard_plan(const compression::Layout& layout, OptimizerKind optimizer,
                                        unsigned ranks);

}  // namespace muster::trainer
