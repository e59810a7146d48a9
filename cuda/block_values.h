// A block of up to 4096 parameters held by a team: 16 values a thread, in four groups of four
// neighbours, so that neighbouring threads read neighbouring memory. Thread safety: values.
#pragma once

#include <bit>
#include <cmath>

#include "cuda/team.h"

namespace muster::gpu {

inline constexpr unsigned kPerThread = 16, kGroups = 4;
inline constexpr std::uint32_t kTeamElements = kThreads * kPerThread;

// Where a block lies in the flat array.
struct BlockPlace {
  std::uint64_t offset = 0;
  std::uint32_t elements = 0;
};

struct Values {
  float x[kPerThread];
};
struct alignas(16) Four {
  float x[4];
};

// The place in the block of thread t's i-th value.
MUSTER_TEAM std::uint32_t element_of(unsigned t, unsigned i) {
  return (i / 4 * kThreads + t) * 4 + i % 4;
}

// Full blocks that begin at a multiple of 16 bytes are moved four values at a time.
MUSTER_TEAM bool is_whole(const BlockPlace& place) {
  return place.elements == kTeamElements && place.offset % 4 == 0;
}

// Behind the end of a short block there are zeros.
MUSTER_TEAM Values load_values(const float* array, const BlockPlace& place, unsigned t) {
  Values values;
  const float* block = array + place.offset;
  if (is_whole(place)) {
    MUSTER_UNROLL
    for (unsigned j = 0; j < kGroups; ++j) {
      const Four four = reinterpret_cast<const Four*>(block)[j * kThreads + t];
      MUSTER_UNROLL
      for (unsigned c = 0; c < 4; ++c) values.x[4 * j + c] = four.x[c];
    }
  } else {
    MUSTER_UNROLL
    for (unsigned i = 0; i < kPerThread; ++i) {
      const std::uint32_t element = element_of(t, i);
      values.x[i] = element < place.elements ? block[element] : 0.0f;
    }
  }
  return values;
}

MUSTER_TEAM void store_values(float* array, const BlockPlace& place, unsigned t,
                              const Values& values) {
  float* block = array + place.offset;
  if (is_whole(place)) {
    MUSTER_UNROLL
    for (unsigned j = 0; j < kGroups; ++j) {
      Four four;
      MUSTER_UNROLL
      for (unsigned c = 0; c < 4; ++c) four.x[c] = values.x[4 * j + c];
      reinterpret_cast<Four*>(block)[j * kThreads + t] = four;
    }
  } else {
    MUSTER_UNROLL
    for (unsigned i = 0; i < kPerThread; ++i) {
      const std::uint32_t element = element_of(t, i);
      if (element < place.elements) block[element] = values.x[i];
    }
  }
}

MUSTER_TEAM std::uint32_t key_of(float value) {
  return std::bit_cast<std::uint32_t>(value) & 0x7fffffff;
}

}  // namespace muster::gpu
