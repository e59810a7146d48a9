// Collective: what the processes that share one training, its ranks, do together.
//
// All ranks make the same calls in the same order, with the same ranges. Arrays are of fp32 numbers
// in the memory that an implementation works on: the host's, or a card's, whose calls may return
// before they are done, in order with the card's other work (cuda/gpu.h). After an error the ranks
// are not in step any more: every later call fails too. Thread safety: one thread at a time.
#pragma once

#include <span>

#include "base/range.h"
#include "base/result.h"

namespace muster {

class Collective {
 public:
  virtual ~Collective() = default;
  [[nodiscard]] virtual unsigned rank() const = 0;  // below size()
  [[nodiscard]] virtual unsigned size() const = 0;

  // values[owned[r]] of each rank r comes to all. REQUIRES: a range for each rank, none of which
  // overlap. Error: kClosed (another rank is gone, or took too long).
  [[nodiscard]] virtual Status all_gather(std::span<float> values,
                                          std::span<const Range> owned) = 0;
  // sum = Σ over ranks of values[owned[rank()]], added in one order: the same bits on every run.
  // Gloo's is by ascending rank, NCCL's goes by how the cards are connected (docs/determinism.md).
  // Errors and REQUIRES: those of all_gather; sum has owned[rank()].size() numbers, none of them
  // among `values`.
  [[nodiscard]] virtual Status reduce_scatter(std::span<const float> values,
                                              std::span<const Range> owned,
                                              std::span<float> sum) = 0;
  // What lies with other ranks moves from one way to share an array to another: each rank has
  // `before`[rank()] of it in `from` and wants `after`[rank()] in `to`. Errors and REQUIRES: as
  // all_gather, for both ways.
  [[nodiscard]] virtual Status reshare(std::span<const float> from, std::span<const Range> before,
                                       std::span<float> to, std::span<const Range> after) = 0;
  // Every rank's numbers, by ascending rank, on every rank; always of the host's memory. REQUIRES:
  // equal sizes, all.size() = size() · mine.size(). Error: kClosed.
  [[nodiscard]] virtual Status share(std::span<const double> mine, std::span<double> all) = 0;
};

}  // namespace muster
