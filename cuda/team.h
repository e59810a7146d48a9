// What algorithms ask of a team: 256 threads that work on one block of parameters together. Written
// once, an algorithm runs on a card's thread block (device_team.cuh) and, for tests, on one thread
// of the host that plays all 256 (host_team.h).
//
// A Team has
//   Own<T>                  a T of each thread; own.of(t) is thread t's
//   each(work)              work(t) on every thread, t = 0…255; no barrier before or after
//   sync()                  what threads wrote is seen by all
//   fold<Fold>(own)         sum, smallest, largest or union of everybody's number, on every thread
//   total(own), top(own)    the sum, or the largest, of everybody's float or double, on every
//   thread: by pairs 16, 8,
//                           4, 2, 1 apart within 32 threads, then over those eights in order
//   prefix(own)             replaces everybody's number by the sum of those of the threads before;
//   returns
//                           the sum of all, on every thread
//   first_warp(work)        work(warp) on the first 32 threads, which go the same way together;
//   warp.is_leader(),
//                           warp.tail(magnitudes, count, threshold) as compression's kernels give
//                           it
// fold, total, top, prefix and sync are reached by all threads or by none. On a card Own<T> is a
// register. Thread safety: a team belongs to one block.
#pragma once

#include <cstdint>

#if defined(__CUDACC__)
#define MUSTER_TEAM __device__ __forceinline__
#define MUSTER_BOTH __host__ __device__ __forceinline__
#define MUSTER_UNROLL _Pragma("unroll")
#define MUSTER_UNROLL_2 _Pragma("unroll 2")
#define MUSTER_UNROLL_8 _Pragma("unroll 8")
#else
#define MUSTER_TEAM inline
#define MUSTER_BOTH inline
#define MUSTER_UNROLL
#define MUSTER_UNROLL_2
#define MUSTER_UNROLL_8
#endif

namespace muster::gpu {

inline constexpr unsigned kThreads = 256;
inline constexpr unsigned kWarpThreads = 32;

enum class Fold { kSum, kSmallest, kLargest, kUnion };

// Lane `lane` of the eight that a sum of magnitudes is made of: those at or above the threshold, in
// order.
struct LaneSum {
  double sum = 0;
  std::uint32_t count = 0;
};
MUSTER_TEAM LaneSum lane_sum(const float* magnitudes, std::uint32_t count, float threshold,
                             std::uint32_t lane) {
  LaneSum result;
  // Adding 0 changes no sum, and leaves no branch that would keep the next number from being
  // fetched.
  MUSTER_UNROLL_8
  for (std::uint32_t i = lane; i < count; i += 8) {
    const bool in = magnitudes[i] >= threshold;
    result.sum += in ? static_cast<double>(magnitudes[i]) : 0.0;
    result.count += in ? 1 : 0;
  }
  return result;
}

}  // namespace muster::gpu
