// The largest magnitudes of a block, found by a team. The same selection as compression's kernels
// make: exactly `keep`, ties to the lower index, zeros and denormals never; a NaN or an infinity is
// found.
//
// The bits of a magnitude order as the magnitude does, so the threshold is bisected bit by bit:
// each step counts the magnitudes that reach it, all of them in registers. The maxima of the 256
// threads' values give a first floor when no more than 256 are kept; it ends as soon as exactly
// `keep` reach the threshold. Thread safety: one team.
#pragma once

#include "cuda/block_values.h"

namespace muster::gpu {

inline constexpr std::uint32_t kInfinity = 0x7f800000, kSmallestNormal = 0x00800000;
inline constexpr std::uint32_t kNotFiniteBlockCount = 0xffffffff;

template <class Team, class T>
using OwnOf = typename Team::template Own<T>;

// Bits of the values of a thread that `holds`.
template <class Holds>
MUSTER_TEAM std::uint32_t mask_of(const Values& values, const Holds& holds) {
  std::uint32_t mask = 0;
  MUSTER_UNROLL
  for (unsigned i = 0; i < kPerThread; ++i) mask |= holds(values.x[i]) ? 1u << i : 0u;
  return mask;
}

// How many values of the block reach the threshold.
template <class Team>
MUSTER_TEAM std::uint32_t count_from(Team& team, OwnOf<Team, Values>& values, std::uint32_t key) {
  OwnOf<Team, std::uint32_t> counts;
  const float threshold = std::bit_cast<float>(key);
  team.each([&](unsigned t) {
    std::uint32_t count = 0;
    MUSTER_UNROLL
    for (unsigned i = 0; i < kPerThread; ++i)
      count += std::fabs(values.of(t).x[i]) >= threshold ? 1 : 0;
    counts.of(t) = count;
  });
  return team.template fold<Fold::kSum>(counts);
}

// Where values with a bit in the masks go when they are lined up by index: four 16-bit numbers, the
// places of each thread's first of each group.
template <class Team>
MUSTER_TEAM void line_up(Team& team, OwnOf<Team, std::uint32_t>& masks,
                         OwnOf<Team, std::uint64_t>& places) {
  team.each([&](unsigned t) {
    std::uint64_t counts = 0;
    MUSTER_UNROLL
    for (unsigned j = 0; j < kGroups; ++j)
      counts |= static_cast<std::uint64_t>(std::popcount(masks.of(t) >> 4 * j & 15)) << 16 * j;
    places.of(t) = counts;
  });
  const std::uint64_t totals = team.prefix(places);
  const std::uint64_t before = (totals << 16) + (totals << 32) + (totals << 48);
  team.each([&](unsigned t) { places.of(t) += before; });
}

// The place of value i among those lined up. REQUIRES: its bit is in the mask.
MUSTER_TEAM std::uint32_t place_of(std::uint64_t places, std::uint32_t mask, unsigned i) {
  const std::uint32_t earlier = mask >> i / 4 * 4 & ((1u << i % 4) - 1);
  return static_cast<std::uint32_t>(places >> i / 4 * 16 & 0xffff) +
         static_cast<std::uint32_t>(std::popcount(earlier));
}

// Takes what is above the threshold, and of what equals it the first.
template <class Team>
MUSTER_TEAM void take_tied(Team& team, OwnOf<Team, Values>& values, std::uint32_t keep,
                           std::uint32_t key, OwnOf<Team, std::uint32_t>& taken) {
  const float threshold = std::bit_cast<float>(key);
  OwnOf<Team, std::uint32_t> above, equal;
  OwnOf<Team, std::uint64_t> places;
  team.each([&](unsigned t) {
    taken.of(t) = mask_of(values.of(t), [&](float x) { return std::fabs(x) > threshold; });
    equal.of(t) = mask_of(values.of(t), [&](float x) { return std::fabs(x) == threshold; });
    above.of(t) = static_cast<std::uint32_t>(std::popcount(taken.of(t)));
  });
  const std::uint32_t room = keep - team.template fold<Fold::kSum>(above);
  line_up(team, equal, places);
  team.each([&](unsigned t) {
    MUSTER_UNROLL
    for (unsigned i = 0; i < kPerThread; ++i)
      if ((equal.of(t) >> i & 1) != 0 && place_of(places.of(t), equal.of(t), i) < room)
        taken.of(t) |= 1u << i;
  });
}

// Sets a bit in `taken` for each value that is kept. Returns how many, or kNotFiniteBlockCount.
template <class Team>
MUSTER_TEAM std::uint32_t select_block(Team& team, OwnOf<Team, Values>& values, std::uint32_t keep,
                                       OwnOf<Team, std::uint32_t>& taken) {
  OwnOf<Team, std::uint32_t> largest_of;
  team.each([&](unsigned t) {
    std::uint32_t largest = 0;
    MUSTER_UNROLL
    for (unsigned i = 0; i < kPerThread; ++i) {
      const std::uint32_t key = key_of(values.of(t).x[i]);
      largest = largest > key ? largest : key;
    }
    largest_of.of(t) = largest;
    taken.of(t) = 0;
  });
  const std::uint32_t largest = team.template fold<Fold::kLargest>(largest_of);
  const std::uint32_t smallest = team.template fold<Fold::kSmallest>(largest_of);
  if (largest >= kInfinity) return kNotFiniteBlockCount;
  if (largest < kSmallestNormal) return 0;

  std::uint32_t low = keep <= kThreads && smallest > kSmallestNormal ? smallest : kSmallestNormal;
  std::uint32_t high = largest + 1;
  std::uint32_t reached = count_from(team, values, low);
  while (high - low > 1 && reached > keep) {
    const std::uint32_t middle = low + (high - low) / 2;
    const std::uint32_t count = count_from(team, values, middle);
    if (count >= keep) {
      low = middle;
      reached = count;
    } else {
      high = middle;
    }
  }
  if (reached > keep) {
    take_tied(team, values, keep, low, taken);
    return keep;
  }
  const float threshold = std::bit_cast<float>(low);
  team.each([&](unsigned t) {
    taken.of(t) = mask_of(values.of(t), [&](float x) { return std::fabs(x) >= threshold; });
  });
  return reached;
}

// The place of the first value that is NaN or infinite.
template <class Team>
MUSTER_TEAM std::uint32_t first_not_finite(Team& team, OwnOf<Team, Values>& values) {
  OwnOf<Team, std::uint32_t> first;
  team.each([&](unsigned t) {
    first.of(t) = kTeamElements;
    MUSTER_UNROLL
    for (unsigned i = kPerThread; i-- > 0;)
      if (key_of(values.of(t).x[i]) >= kInfinity) first.of(t) = element_of(t, i);
  });
  return team.template fold<Fold::kSmallest>(first);
}

}  // namespace muster::gpu
