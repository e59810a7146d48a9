// A team's pass over one block of a dense array: decoded payloads, each times its weight, added in
// their order; and the outer step. Per element one fp32 product and one fp32 addition for each
// payload that holds it, as state::WeightedSum and state::outer_step do, bit for bit: within one
// payload no two entries meet.
//
// Thread safety: one team; blocks do not touch each other.
#pragma once

#include "cuda/block_values.h"

namespace muster::gpu {

// Entries of one payload by block; `ends[b]` is behind the last of block b.
struct EntryList {
  const std::uint64_t* ends = nullptr;
  const std::uint16_t* indices = nullptr;
  const float* values = nullptr;
};

struct EntryRange {
  std::uint64_t begin = 0, end = 0;
};
MUSTER_TEAM EntryRange entries_of(const EntryList& list, std::uint64_t block) {
  return {block == 0 ? 0 : list.ends[block - 1], list.ends[block]};
}

struct SumTask {
  const BlockPlace* blocks = nullptr;
  float* sum = nullptr;
  const EntryList* payloads = nullptr;
  const float* weights = nullptr;
  std::uint32_t payload_count = 0;  // at most kThreads
};

struct SumWorkspace {
  alignas(16) float sum[kTeamElements];
  EntryRange ranges[kThreads];  // of each payload
};

struct Entry {
  std::uint32_t index = 0;
  float value = 0;
  bool exists = false;
};
MUSTER_TEAM Entry entry_at(const EntryList& list, const EntryRange& range, std::uint64_t i) {
  if (range.begin + i >= range.end) return {};
  return {list.indices[range.begin + i], list.values[range.begin + i], true};
}

// Entries of so many payloads are fetched at once; then they are added, one payload after the
// other.
inline constexpr std::uint32_t kFetched = 4;
struct FetchedEntries {
  Entry of[kFetched];
};

template <class Team>
MUSTER_TEAM void sum_block(Team& team, SumWorkspace& shared, const SumTask& task,
                           std::uint64_t block) {
  const BlockPlace place = task.blocks[block];
  const BlockPlace here{0, place.elements};
  typename Team::template Own<FetchedEntries> fetched;
  team.each([&](unsigned t) {
    if (t < task.payload_count) shared.ranges[t] = entries_of(task.payloads[t], block);
    const Values values = load_values(task.sum, place, t);
    store_values(shared.sum, here, t, values);
  });
  team.sync();
  for (std::uint32_t first = 0; first < task.payload_count; first += kFetched) {
    team.each([&](unsigned t) {
      MUSTER_UNROLL
      for (std::uint32_t p = 0; p < kFetched; ++p)
        fetched.of(t).of[p] = first + p < task.payload_count
                                  ? entry_at(task.payloads[first + p], shared.ranges[first + p], t)
                                  : Entry{};
    });
    MUSTER_UNROLL
    for (std::uint32_t p = 0; p < kFetched; ++p) {
      if (first + p >= task.payload_count) continue;
      team.each([&](unsigned t) {
        const EntryList& payload = task.payloads[first + p];
        const EntryRange& range = shared.ranges[first + p];
        const float weight = task.weights[first + p];
        Entry entry = fetched.of(t).of[p];
        for (std::uint64_t i = t + kThreads; entry.exists;
             entry = entry_at(payload, range, i), i += kThreads)
          shared.sum[entry.index] += weight * entry.value;
      });
      team.sync();
    }
  }
  team.each(
      [&](unsigned t) { store_values(task.sum, place, t, load_values(shared.sum, here, t)); });
}

struct StepTask {
  const BlockPlace* blocks = nullptr;
  float* theta = nullptr;
  EntryList aggregate;
  float learning_rate = 0;
};

template <class Team>
MUSTER_TEAM void step_block(Team& team, const StepTask& task, std::uint64_t block) {
  const EntryRange range = entries_of(task.aggregate, block);
  float* theta = task.theta + task.blocks[block].offset;
  team.each([&](unsigned t) {
    for (std::uint64_t i = range.begin + t; i < range.end; i += kThreads)
      theta[task.aggregate.indices[i]] -= task.learning_rate * task.aggregate.values[i];
  });
}

}  // namespace muster::gpu
