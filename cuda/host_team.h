// HostTeam: a team of 256 threads played by one, step by step, so that a card's algorithms are
// tested on machines without a card. See team.h. Thread safety: none; one owner.
#pragma once

#include <algorithm>
#include <array>

#include "compression/lloyd.h"
#include "cuda/team.h"

namespace muster::gpu {

class HostTeam {
 public:
  template <class T>
  class Own {
   public:
    T& of(unsigned t) { return values_[t]; }

   private:
    std::array<T, kThreads> values_{};
  };

  struct Warp {
    [[nodiscard]] bool is_leader() const { return true; }
    [[nodiscard]] compression::Tail tail(const float* magnitudes, std::uint32_t count,
                                         float threshold) const {
      std::array<LaneSum, 8> lanes;
      double reached = 0;
      for (std::uint32_t lane = 0; lane < 8; ++lane) {
        lanes[lane] = lane_sum(magnitudes, count, threshold, lane);
        reached += lanes[lane].count;
      }
      return {((lanes[0].sum + lanes[4].sum) + (lanes[2].sum + lanes[6].sum)) +
                  ((lanes[1].sum + lanes[5].sum) + (lanes[3].sum + lanes[7].sum)),
              reached};
    }
  };

  template <class Work>
  void each(const Work& work) {
    for (unsigned t = 0; t < kThreads; ++t) work(t);
  }
  void sync() {}

  template <Fold kFold>
  std::uint32_t fold(Own<std::uint32_t>& own) {
    std::uint32_t result = own.of(0);
    for (unsigned t = 1; t < kThreads; ++t) {
      const std::uint32_t x = own.of(t);
      if constexpr (kFold == Fold::kSum) result += x;
      if constexpr (kFold == Fold::kSmallest) result = std::min(result, x);
      if constexpr (kFold == Fold::kLargest) result = std::max(result, x);
      if constexpr (kFold == Fold::kUnion) result |= x;
    }
    return result;
  }
  template <class Number>
  Number total(Own<Number>& own) {
    return by_warps(own, [](Number a, Number b) { return a + b; });
  }
  template <class Number>
  Number top(Own<Number>& own) {
    return by_warps(own, [](Number a, Number b) { return a > b ? a : b; });
  }
  std::uint64_t prefix(Own<std::uint64_t>& own) {
    std::uint64_t total = 0;
    for (unsigned t = 0; t < kThreads; ++t) {
      const std::uint64_t x = own.of(t);
      own.of(t) = total;
      total += x;
    }
    return total;
  }
  template <class Work>
  void first_warp(const Work& work) {
    work(Warp{});
  }

 private:
  // As exchanges between the lanes of a warp do it.
  template <class Number, class Join>
  static Number by_warps(Own<Number>& own, const Join& join) {
    Number result{};
    for (unsigned warp = 0; warp < kThreads / kWarpThreads; ++warp) {
      std::array<Number, kWarpThreads> lanes, next;
      for (unsigned lane = 0; lane < kWarpThreads; ++lane)
        lanes[lane] = own.of(warp * kWarpThreads + lane);
      for (unsigned apart = kWarpThreads / 2; apart > 0; apart /= 2) {
        for (unsigned lane = 0; lane < kWarpThreads; ++lane)
          next[lane] = join(lanes[lane], lanes[lane ^ apart]);
        lanes = next;
      }
      result = warp == 0 ? lanes[0] : join(result, lanes[0]);
    }
    return result;
  }
};

}  // namespace muster::gpu
