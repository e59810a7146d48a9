// Which parameters of a model's parts lie with which rank, and where parts and gains lie on a card;
// see shard.h.
//
// Thread safety: pure functions.
#pragma once

#include <array>
#include <vector>

#include "cuda/llama/model_parts.h"
#include "cuda/llama/norm_tasks.h"

namespace muster::gpu {

// Room for parts that take turns: embedding and head, odd and even layers, the final gain where it
// is alone.
inline constexpr std::size_t kSlots = 4, kFinalSlot = 3;
[[nodiscard]] std::size_t slot_of(const state::Shape& shape, std::size_t part);
// Parameters of the largest part of each.
[[nodiscard]] std::array<std::uint64_t, kSlots> slot_sizes(const state::Shape& shape);

// Our own bug unless these are a range for each rank that together are all, parted where vectors
// may be.
void check_ranges(const state::Shape& shape, const std::vector<Range>& owned, unsigned ranks);

// REQUIRES: multiples of `divisor`.
[[nodiscard]] std::vector<Range> divided(std::vector<Range> ranges, std::uint64_t divisor);

// Which part of all gains, one behind the other in the layout's order, each rank has.
[[nodiscard]] std::vector<Range> packed_gains(const state::Shape& shape,
                                              const std::vector<Range>& owned);

// `count` numbers, a multiple of 4, from one place to another.
struct CopyRun {
  std::uint64_t from = 0, to = 0, count = 0;
};
// From a rank's θ to all gains.
[[nodiscard]] std::vector<CopyRun> gain_runs(const state::Shape& shape, const Range& own);

// A block a run.
struct CopyRunsTask {
  const CopyRun* runs = nullptr;
  const float* from = nullptr;
  float* to = nullptr;

  using Shared = NothingShared;
  template <class Team>
  MUSTER_TEAM void operator()(Team& team, Shared&, std::uint64_t block) const {
    const CopyRun run = runs[block];
    team.each([&](unsigned t) {
      for (std::uint64_t i = std::uint64_t{t} * kFour; i < run.count; i += kRowColumns)
        store<4>(to + run.to + i, load<4>(from + run.from + i));
    });
  }
};

}  // namespace muster::gpu
