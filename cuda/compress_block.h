// A team's pass over one block: error feedback added, the largest magnitudes chosen and quantised, what they
// decode to subtracted. One reading of Δ and residual, one writing of Δ.
//
// Equal to compression::ErrorFeedback bit for bit. Thread safety: one team; blocks do not touch each other.
#pragma once

#include "compression/lloyd.h"
#include "compression/selection.h"
#include "cuda/select_block.h"

namespace muster::gpu {

struct CompressTask {
  const BlockPlace* blocks = nullptr;
  float* delta = nullptr;  // becomes e + Δ − decoded; as it was in a block that is not finite
  const float* residual = nullptr;
  float decay = 1;  // of the residual
  std::uint32_t keep = 0;  // of a full block
  // As in compression::Selection; and the kept values as they were, where the entries are.
  std::uint16_t* counts = nullptr;
  std::uint16_t* levels = nullptr;
  std::uint16_t* entries = nullptr;
  float* originals = nullptr;
};

// What a team shares about its block.
struct CompressWorkspace {
  float magnitudes[kTeamElements];      // kept, by index
  std::uint16_t places[kTeamElements];  // packed entries of class 0
  compression::FoundLevels found;
  float middles[compression::kClassesMax];  // where the next class begins; infinite behind the last
  compression::CanonicalLevels canonical;
};

template <unsigned kBits>
MUSTER_TEAM std::uint32_t class_in(const CompressWorkspace& shared, float magnitude) {
  std::uint32_t result = 0;
  MUSTER_UNROLL
  for (unsigned c = 0; c + 1 < 1u << kBits; ++c) result += magnitude >= shared.middles[c] ? 1 : 0;
  return result;
}

// Finds the levels of shared.magnitudes; on every thread's return they are in `shared`.
template <unsigned kBits, class Team>
MUSTER_TEAM void quantise_block(Team& team, CompressWorkspace& shared, std::uint32_t count) {
  team.first_warp([&](auto warp) {
    const auto tails = [&](float threshold) { return warp.tail(shared.magnitudes, count, threshold); };
    const compression::FoundLevels found =
        compression::find_levels<kBits>(shared.magnitudes, count, tails);
    if (!warp.is_leader()) return;
    shared.found = found;
    for (std::size_t c = 0; c < compression::kClassesMax; ++c)
      shared.middles[c] = c + 1 < found.count ? compression::middle_above(found, c)
                                              : std::bit_cast<float>(kInfinity);
    if constexpr (kBits == 0) shared.canonical = compression::canonical(found, 1);
  });
  team.sync();
  if constexpr (kBits == 0) return;
  OwnOf<Team, std::uint32_t> used;
  team.each([&](unsigned t) {
    used.of(t) = 0;
    for (std::uint32_t i = t; i < count; i += kThreads)
      used.of(t) |= 1u << class_in<kBits>(shared, shared.magnitudes[i]);
  });
  const std::uint32_t all_used = team.template fold<Fold::kUnion>(used);
  team.first_warp([&](auto warp) {
    if (warp.is_leader()) shared.canonical = compression::canonical(shared.found, all_used);
  });
  team.sync();
}

// The kept values side by side, ascending by index.
template <class Team>
MUSTER_TEAM void gather_kept(Team& team, CompressWorkspace& shared, OwnOf<Team, Values>& values,
                             OwnOf<Team, std::uint32_t>& taken) {
  OwnOf<Team, std::uint64_t> places;
  line_up(team, taken, places);
  team.each([&](unsigned t) {
    MUSTER_UNROLL
    for (unsigned i = 0; i < kPerThread; ++i) {
      if ((taken.of(t) >> i & 1) == 0) continue;
      const float value = values.of(t).x[i];
      const std::uint32_t place = place_of(places.of(t), taken.of(t), i);
      shared.magnitudes[place] = std::fabs(value);
      shared.places[place] = compression::pack_entry(element_of(t, i), 0, value < 0);
    }
  });
  team.sync();
}

template <unsigned kBits>
MUSTER_TEAM void subtract_decoded(const CompressWorkspace& shared, std::uint32_t taken, Values& values) {
  MUSTER_UNROLL
  for (unsigned i = 0; i < kPerThread; ++i) {
    if ((taken >> i & 1) == 0) continue;
    const float value = values.x[i];
    const std::uint32_t c = class_in<kBits>(shared, std::fabs(value));
    values.x[i] = value - std::copysign(compression::from_bf16(shared.found.levels[c]), value);
  }
}

template <unsigned kBits, class Team>
MUSTER_TEAM void write_selection(Team& team, const CompressWorkspace& shared, const CompressTask& task,
                                 std::uint64_t block, std::uint32_t count) {
  team.each([&](unsigned t) {
    const std::uint64_t first = block * task.keep;
    for (std::uint32_t i = t; i < count; i += kThreads) {
      const float magnitude = shared.magnitudes[i];
      const std::uint16_t place = shared.places[i];
      const std::uint32_t c = shared.canonical.renamed[class_in<kBits>(shared, magnitude)];
      task.entries[first + i] = static_cast<std::uint16_t>(place | c << 12);
      task.originals[first + i] = (place >> 15) != 0 ? -magnitude : magnitude;
    }
    if (t == 0) task.counts[block] = static_cast<std::uint16_t>(count);
    if (t < 1u << kBits) task.levels[(block << kBits) + t] = count > 0 ? shared.canonical.levels[t] : 0;
  });
}

// `block`, with levels of kBits bits. All threads of the team.
template <unsigned kBits, class Team>
MUSTER_TEAM void compress_block(Team& team, CompressWorkspace& shared, const CompressTask& task,
                                std::uint64_t block) {
  const BlockPlace place = task.blocks[block];
  const std::uint32_t keep = compression::kept_in_block(task.keep, place.elements);
  OwnOf<Team, Values> values;
  team.each([&](unsigned t) {
    const Values residual = load_values(task.residual, place, t);
    Values sum = load_values(task.delta, place, t);
    MUSTER_UNROLL
    for (unsigned i = 0; i < kPerThread; ++i) sum.x[i] = residual.x[i] * task.decay + sum.x[i];
    values.of(t) = sum;
  });
  OwnOf<Team, std::uint32_t> taken;
  const std::uint32_t count = select_block(team, values, keep, taken);
  if (count == kNotFiniteBlockCount) {
    const std::uint32_t first = first_not_finite(team, values);
    team.each([&](unsigned t) {
      if (t != 0) return;
      task.counts[block] = compression::kNotFiniteBlock;
      task.entries[block * task.keep] = static_cast<std::uint16_t>(first);
    });
    return;
  }
  if (count > 0) {
    gather_kept(team, shared, values, taken);
    quantise_block<kBits>(team, shared, count);
  }
  write_selection<kBits>(team, shared, task, block, count);
  team.each([&](unsigned t) {
    if (count > 0) subtract_decoded<kBits>(shared, taken.of(t), values.of(t));
    store_values(task.delta, place, t, values.of(t));
  });
}

}  // namespace muster::gpu
