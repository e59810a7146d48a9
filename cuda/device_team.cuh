// DeviceTeam: a team of 256 threads as a thread block of a card. See team.h.
//
// Sums of fp64 lanes are added by exchanges between the lanes of one warp, in the one order there
// is. Folds use two sets of partial results in turn, so that one barrier each is enough: who writes
// a set again has passed the barrier behind its last reading. Thread safety: one thread block.
#pragma once

#include "compression/lloyd.h"
#include "cuda/team.h"

namespace muster::gpu {

class DeviceTeam {
 public:
  static constexpr unsigned kWarps = kThreads / 32;
  static constexpr unsigned kEverybody = 0xffffffff;

  struct Scratch {
    std::uint32_t folded[2][kWarps];
    std::uint64_t prefixes[kWarps];
    double joined[2][kWarps];
  };

  template <class T>
  class Own {
   public:
    MUSTER_TEAM T& of(unsigned) { return value_; }

   private:
    T value_;
  };

  struct Warp {
    MUSTER_TEAM bool is_leader() const { return threadIdx.x == 0; }
    __device__ compression::Tail tail(const float* magnitudes, std::uint32_t count,
                                      float threshold) const {
      LaneSum lane;
      if (threadIdx.x < 8) lane = lane_sum(magnitudes, count, threshold, threadIdx.x);
      const std::uint32_t reached = __reduce_add_sync(kEverybody, lane.count);
      for (int apart = 4; apart > 0; apart /= 2)
        lane.sum += __shfl_xor_sync(kEverybody, lane.sum, apart);
      return {__shfl_sync(kEverybody, lane.sum, 0), static_cast<double>(reached)};
    }
  };

  explicit MUSTER_TEAM DeviceTeam(Scratch& scratch) : scratch_(scratch) {}

  template <class Work>
  MUSTER_TEAM void each(const Work& work) {
    work(threadIdx.x);
  }
  MUSTER_TEAM void sync() { __syncthreads(); }

  template <Fold kFold>
  MUSTER_TEAM std::uint32_t fold(Own<std::uint32_t>& own) {
    const unsigned warp = threadIdx.x / 32;
    const std::uint32_t of_warp = fold_warp<kFold>(own.of(0));
    turn_ ^= 1;
    if (threadIdx.x % 32 == 0) scratch_.folded[turn_][warp] = of_warp;
    __syncthreads();
    std::uint32_t result = scratch_.folded[turn_][0];
    MUSTER_UNROLL
    for (unsigned w = 1; w < kWarps; ++w)
      result = fold_two<kFold>(result, scratch_.folded[turn_][w]);
    return result;
  }

  template <class Number>
  MUSTER_TEAM Number total(Own<Number>& own) {
    return by_warps(own.of(0), [](Number a, Number b) { return a + b; });
  }
  template <class Number>
  MUSTER_TEAM Number top(Own<Number>& own) {
    return by_warps(own.of(0), [](Number a, Number b) { return a > b ? a : b; });
  }

  MUSTER_TEAM std::uint64_t prefix(Own<std::uint64_t>& own) {
    const unsigned lane = threadIdx.x % 32, warp = threadIdx.x / 32;
    std::uint64_t up_to = own.of(0);
    for (unsigned apart = 1; apart < 32; apart *= 2) {
      const std::uint64_t before = __shfl_up_sync(kEverybody, up_to, apart);
      if (lane >= apart) up_to += before;
    }
    __syncthreads();  // nobody reads the last prefixes any more
    if (lane == 31) scratch_.prefixes[warp] = up_to;
    __syncthreads();
    std::uint64_t total = 0, before = 0;
    MUSTER_UNROLL
    for (unsigned w = 0; w < kWarps; ++w) {
      if (w == warp) before = total;
      total += scratch_.prefixes[w];
    }
    own.of(0) = before + up_to - own.of(0);
    return total;
  }

  template <class Work>
  MUSTER_TEAM void first_warp(const Work& work) {
    if (threadIdx.x < 32) work(Warp{});
  }

 private:
  template <class Number, class Join>
  MUSTER_TEAM Number by_warps(Number x, const Join& join) {
    MUSTER_UNROLL
    for (int apart = 16; apart > 0; apart /= 2) x = join(x, __shfl_xor_sync(kEverybody, x, apart));
    turn_ ^= 1;
    if (threadIdx.x % 32 == 0) scratch_.joined[turn_][threadIdx.x / 32] = static_cast<double>(x);
    __syncthreads();
    Number result = static_cast<Number>(scratch_.joined[turn_][0]);
    MUSTER_UNROLL
    for (unsigned w = 1; w < kWarps; ++w)
      result = join(result, static_cast<Number>(scratch_.joined[turn_][w]));
    return result;
  }
  template <Fold kFold>
  static MUSTER_TEAM std::uint32_t fold_warp(std::uint32_t x) {
    if constexpr (kFold == Fold::kSum) return __reduce_add_sync(kEverybody, x);
    if constexpr (kFold == Fold::kSmallest) return __reduce_min_sync(kEverybody, x);
    if constexpr (kFold == Fold::kLargest) return __reduce_max_sync(kEverybody, x);
    if constexpr (kFold == Fold::kUnion) return __reduce_or_sync(kEverybody, x);
  }
  template <Fold kFold>
  static MUSTER_TEAM std::uint32_t fold_two(std::uint32_t a, std::uint32_t b) {
    if constexpr (kFold == Fold::kSum) return a + b;
    if constexpr (kFold == Fold::kSmallest) return a < b ? a : b;
    if constexpr (kFold == Fold::kLargest) return a > b ? a : b;
    if constexpr (kFold == Fold::kUnion) return a | b;
  }

  Scratch& scratch_;
  unsigned turn_ = 0;
};

}  // namespace muster::gpu
