// A team's pass over one block: error feedback added, the largest magnitudes chosen and quantised,
// what they decode to subtracted, for the fresh part and then for the memory part. One reading of Δ
// and residual, one writing of Δ.
//
// Equal to compression::ErrorFeedback bit for bit. Thread safety: one team; blocks do not touch
// each other.
#pragma once

#include "compression/lloyd.h"
#include "compression/selection.h"
#include "cuda/select_block.h"

namespace muster::gpu {

// What is chosen for one part, as in compression::SelectedPart; and what was at its entries before
// it was taken away.
struct PartTask {
  std::uint32_t keep = 0;  // of a full block; 0: there is no such part
  std::uint16_t* counts = nullptr;
  std::uint16_t* levels = nullptr;
  std::uint16_t* entries = nullptr;
  float* originals = nullptr;
};

struct CompressTask {
  const BlockPlace* blocks = nullptr;
  float* delta = nullptr;  // becomes e + Δ − decoded; as it was in a block that is not finite
  const float* residual = nullptr;
  float decay = 1;  // of the residual
  PartTask fresh, memory;
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
    const auto tails = [&](float threshold) {
      return warp.tail(shared.magnitudes, count, threshold);
    };
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

// The kept values side by side, ascending by index; and original_of(t, i) of each as what was
// there.
template <class Team, class OriginalOf>
MUSTER_TEAM void gather_kept(Team& team, CompressWorkspace& shared, OwnOf<Team, Values>& values,
                             OwnOf<Team, std::uint32_t>& taken, float* originals,
                             const OriginalOf& original_of) {
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
      originals[place] = original_of(t, i);
    }
  });
  team.sync();
}

// What a reader will see of a kept value.
template <unsigned kBits>
MUSTER_TEAM float decoded_of(const CompressWorkspace& shared, float value) {
  return std::copysign(
      compression::from_bf16(shared.found.levels[class_in<kBits>(shared, std::fabs(value))]),
      value);
}

template <unsigned kBits, class Team>
MUSTER_TEAM void write_selection(Team& team, const CompressWorkspace& shared, const PartTask& part,
                                 std::uint64_t block, std::uint32_t count) {
  team.each([&](unsigned t) {
    const std::uint64_t first = block * part.keep;
    for (std::uint32_t i = t; i < count; i += kThreads) {
      const std::uint32_t c =
          shared.canonical.renamed[class_in<kBits>(shared, shared.magnitudes[i])];
      part.entries[first + i] = static_cast<std::uint16_t>(shared.places[i] | c << 12);
    }
    if (t == 0) part.counts[block] = static_cast<std::uint16_t>(count);
    if (t < 1u << kBits)
      part.levels[(block << kBits) + t] = count > 0 ? shared.canonical.levels[t] : 0;
  });
}

// Chooses and writes a part of a block whose values those are. False: they are not finite, which is
// in the selection then. Otherwise shared.found has the levels of what was taken.
template <unsigned kBits, class Team, class OriginalOf>
MUSTER_TEAM bool select_part(Team& team, CompressWorkspace& shared, const PartTask& part,
                             std::uint64_t block, std::uint32_t elements,
                             OwnOf<Team, Values>& values, OwnOf<Team, std::uint32_t>& taken,
                             const OriginalOf& original_of) {
  const std::uint32_t count =
      select_block(team, values, compression::kept_in_block(part.keep, elements), taken);
  if (count == kNotFiniteBlockCount) {
    const std::uint32_t first = first_not_finite(team, values);
    team.each([&](unsigned t) {
      if (t != 0) return;
      part.counts[block] = compression::kNotFiniteBlock;
      part.entries[block * part.keep] = static_cast<std::uint16_t>(first);
    });
    return false;
  }
  if (count > 0) {
    gather_kept(team, shared, values, taken, part.originals + block * part.keep, original_of);
    quantise_block<kBits>(team, shared, count);
  }
  write_selection<kBits>(team, shared, part, block, count);
  return true;
}

// `block`, with levels of kBits bits. All threads of the team.
template <unsigned kBits, class Team>
MUSTER_TEAM void compress_block(Team& team, CompressWorkspace& shared, const CompressTask& task,
                                std::uint64_t block) {
  const BlockPlace place = task.blocks[block];
  const bool has_memory = task.memory.keep > 0;
  OwnOf<Team, Values> values;  // Δ, or with one part e + Δ; then what is left of e + Δ
  OwnOf<Team, std::uint32_t> taken;
  const auto own_value = [&](unsigned t, unsigned i) { return values.of(t).x[i]; };
  const auto with_residual = [&](unsigned t, unsigned i) {
    const float value = values.of(t).x[i];
    return has_memory ? task.residual[place.offset + element_of(t, i)] * task.decay + value : value;
  };
  // Whether the residual is yet to be added, and what is taken to be taken away.
  const auto go_on = [&](bool adds, bool takes) {
    team.each([&](unsigned t) {
      const Values residual = adds ? load_values(task.residual, place, t) : Values{};
      MUSTER_UNROLL
      for (unsigned i = 0; i < kPerThread; ++i) {
        float& x = values.of(t).x[i];
        const float value = x;
        if (adds) x = residual.x[i] * task.decay + value;
        if (takes && (taken.of(t) >> i & 1) != 0) x -= decoded_of<kBits>(shared, value);
      }
    });
  };
  team.each([&](unsigned t) { values.of(t) = load_values(task.delta, place, t); });
  if (!has_memory) go_on(true, false);
  if (!select_part<kBits>(team, shared, task.fresh, block, place.elements, values, taken,
                          with_residual))
    return;
  go_on(has_memory, true);
  if (has_memory) {
    team.sync();  // nobody reads the fresh part's levels any more
    if (!select_part<kBits>(team, shared, task.memory, block, place.elements, values, taken,
                            own_value))
      return;
    go_on(false, true);
  }
  team.each([&](unsigned t) { store_values(task.delta, place, t, values.of(t)); });
}

}  // namespace muster::gpu
