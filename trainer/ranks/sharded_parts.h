// ShardedParts: a model whose gradient, and where it is asked for whose parameters, are shared
// among ranks.
//
// A part's gradient is summed at its owners while the pass goes on with the next part; parameters
// that are shared out are gathered one part ahead. For either there are two buffers of a layer's
// size and one for what is larger (an embedding, a head): a rank holds its own ranges and a few
// parts, never the whole. (Rajbhandari et al., "ZeRO", arXiv 1910.02054: stages 2 and 3.) Thread
// safety: one thread at a time; it has one of its own for the collective, which nobody else uses
// between begin() and finish().
#pragma once

#include <array>
#include <memory>
#include <vector>

#include "base/collective.h"
#include "trainer/llama/model_parts.h"
#include "trainer/ranks/collective_queue.h"

namespace muster::trainer {

class ShardedParts final : public ModelParts {
 public:
  // `owned`: of the parameters, by rank. The collective must outlive it.
  ShardedParts(const Shape& shape, Collective& collective, std::vector<Range> owned,
               bool shards_parameters);

  // `parameters`: all of them, or this rank's own where they are shared out; `gradient`: of this
  // rank's own, is added to.
  void begin(std::span<const float> parameters, std::span<float> gradient);
  // Waits until every part's gradient has arrived. Error: the collective's first.
  [[nodiscard]] Status finish() { return queue_.drain(); }

  std::span<const float> parameters(std::size_t part) override;
  void expect(std::size_t part) override;
  void release(std::size_t part) override;
  std::span<float> gradient(std::size_t part) override;
  void gradient_done(std::size_t part) override;

 private:
  static constexpr std::size_t kNone = ~std::size_t{0};
  struct Slot {
    std::vector<float> values;
    std::size_t part = kNone;
    std::uint64_t ticket = 0;  // of the last call that uses the values
  };
  using Slots = std::array<Slot, 3>;  // the first for parts that are larger than a layer
  static Slot* find(Slots& slots, std::size_t part);
  // Of the slots that the part may lie in, one that is free.
  [[nodiscard]] Slot* free_for(Slots& slots, std::size_t part) const;
  void gather(Slot& slot, std::size_t part);

  Shape shape_;
  Collective& collective_;
  std::vector<Range> owned_;
  bool shards_parameters_;
  std::span<const float> parameters_;
  std::span<float> gradient_;
  Slots gathered_, sums_;
  std::vector<float> received_;  // the queue's
  CollectiveQueue queue_;        // last: its calls use the rest
};

}  // namespace muster::trainer
