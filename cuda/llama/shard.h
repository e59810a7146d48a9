// Shard: what one rank of several keeps of a model on a backend (see model_on.h), and ShardParts:
// the model's parts as a pass sees them there. Method: ZeRO (Rajbhandari et al., arXiv 1910.02054).
//
// A part that is gathered, and a part's gradient, lie in slots: one for the embedding and the head,
// two in which decoder layers take turns, so that the next comes, and the last leaves, while one is
// at work. When a part's gradient is complete each rank's range of it is summed there, beside the
// backward pass. Norm gains, which are tiny, are fp32 on all ranks. Collectives move rounded
// parameters as halves of floats: nothing is computed with them on the way. Thread safety: one
// owner.
#pragma once

#include <array>
#include <optional>
#include <utility>
#include <vector>

#include "base/check.h"
#include "cuda/gpu.h"
#include "cuda/llama/muon_tasks.h"
#include "cuda/llama/passes.h"
#include "cuda/llama/shard_ranges.h"

namespace muster::gpu {

template <class T, class Backend>
class ShardParts;

template <class T, class Backend>
class Shard {
 public:
  // Calls nothing of the collective. Errors: kTooLarge, kIo.
  [[nodiscard]] static Result<Shard> make(Backend& backend, const state::ModelSpec& spec,
                                          const ShardSettings& settings) {
    Shard shard(backend, state::Shape(spec), settings);
    MUSTER_TRY_STATUS(shard.reserve());
    return Result<Shard>(std::move(shard));
  }

  [[nodiscard]] Range own() const { return owned_[collective_->rank()]; }
  // What products read of own(); null where that is θ.
  [[nodiscard]] T* own_weights() {
    return gathers_parts_ ? weights_.data() : weights_.data() + own().begin;
  }

  // θ's range, and own_weights(), are of new numbers: to all ranks, what each keeps of them.
  void publish(const float* theta) {
    backend_->run(CopyRunsTask{gain_runs_.data(), theta, gains_.data()}, gain_run_count_);
    backend_->note(collective_->all_gather({gains_.data(), gain_count()}, gain_ranges_));
    if (!gathers_parts_)
      backend_->note(
          collective_->all_gather(floats_of(weights_.data(), shape_.parameters), floats_));
  }

  // What a step's verdict is made of comes from all ranks.
  void gather_totals(TotalTask total, VerdictTask& verdict) {
    total.total = totals_.data() + 2 * collective_->rank();
    backend_->run(total, 1);
    auto* floats = reinterpret_cast<float*>(totals_.data());
    backend_->note(
        collective_->all_gather({floats, 4 * std::size_t{collective_->size()}}, total_ranges_));
    verdict.squares = totals_.data();
    verdict.losses = totals_.data() + 1;
    verdict.square_count = verdict.loss_count = collective_->size();
    verdict.stride = 2;
  }

 private:
  friend class ShardParts<T, Backend>;
  template <class X>
  using Array = typename Backend::template Array<X>;
  static constexpr std::size_t kFloatsPerNumber = sizeof(float) / sizeof(T);

  Shard(Backend& backend, const state::Shape& shape, const ShardSettings& settings)
      : backend_(&backend),
        shape_(shape),
        collective_(settings.collective),
        owned_(settings.owned),
        gathers_parts_(settings.shards_parameters) {
    check_ranges(shape_, owned_, collective_->size());
    floats_ = divided(owned_, kFloatsPerNumber);
    for (std::size_t part = 0; part < part_count(shape_); ++part)
      owned_of_part_.push_back(within(owned_, part_range(shape_, part)));
    for (const auto& ranges : owned_of_part_)
      floats_of_part_.push_back(divided(ranges, kFloatsPerNumber));
    gain_ranges_ = packed_gains(shape_, owned_);
    for (unsigned rank = 0; rank < collective_->size(); ++rank)
      total_ranges_.push_back({4 * rank, 4 * (rank + 1)});
  }

  Status reserve() {
    const auto runs = gain_runs(shape_, own());
    gain_run_count_ = runs.size();
    MUSTER_TRY(gain_runs_, backend_->template allocate<CopyRun>(runs.size()));
    MUSTER_TRY_STATUS(backend_->write(gain_runs_, std::span<const CopyRun>(runs)));
    MUSTER_TRY(gains_, backend_->template allocate<float>(gain_count()));
    MUSTER_TRY(totals_, backend_->template allocate<double>(2 * std::size_t{collective_->size()}));
    if (!gathers_parts_) {
      MUSTER_TRY(weights_, backend_->template allocate<T>(shape_.parameters));
    } else if (sizeof(T) < sizeof(float)) {
      MUSTER_TRY(weights_, backend_->template allocate<T>(own().size()));
    }
    std::uint64_t largest = 0;
    for (std::size_t part = 0; part < part_count(shape_); ++part)
      largest = std::max(largest, common(own(), part_range(shape_, part)).size());
    MUSTER_TRY(sum_, backend_->template allocate<float>(largest));
    const auto sizes = slot_sizes(shape_);
    for (std::size_t slot = 0; slot < kSlots; ++slot) {
      MUSTER_TRY(gradient_slots_[slot], backend_->template allocate<float>(sizes[slot]));
      // No product reads the final gain.
      if (!gathers_parts_ || slot == kFinalSlot) continue;
      MUSTER_TRY(weight_slots_[slot], backend_->template allocate<T>(sizes[slot]));
    }
    return {};
  }

  [[nodiscard]] std::size_t gain_count() const { return (2 * shape_.layers + 1) * shape_.width; }
  static std::span<float> floats_of(T* numbers, std::uint64_t count) {
    return {reinterpret_cast<float*>(numbers), count / kFloatsPerNumber};
  }

  Backend* backend_;
  state::Shape shape_;
  Collective* collective_;
  std::vector<Range> owned_, floats_;  // of all parameters, and as floats' memory
  bool gathers_parts_;
  std::vector<std::vector<Range>> owned_of_part_, floats_of_part_;  // from the part's begin
  std::vector<Range> gain_ranges_, total_ranges_;
  Array<CopyRun> gain_runs_;
  std::size_t gain_run_count_ = 0;
  Array<float> gains_;    // attention's and the feed-forward's of each layer, the final one
  Array<T> weights_;      // of all parameters, or of own()
  Array<double> totals_;  // [ranks, 2]
  Array<float> sum_;      // of a part's gradient, own()'s
  std::array<Array<T>, kSlots> weight_slots_;
  std::array<Array<float>, kSlots> gradient_slots_;
};

// Made for one pass and joined at its end, before anything else is done with the shard.
template <class T, class Backend>
class ShardParts {
 public:
  // `theta`, `gradient`: of the rank's range. `is_first`: the gradient is of this pass alone, else
  // it adds to it.
  ShardParts(Shard<T, Backend>& shard, const float* theta, float* gradient, bool is_first)
      : shard_(shard),
        backend_(*shard.backend_),
        theta_(theta),
        gradient_(gradient),
        is_first_(is_first) {}

  [[nodiscard]] const T* embedding() { return weights(0); }
  [[nodiscard]] const float* attention_gain(std::size_t layer) const {
    return shard_.gains_.data() + 2 * layer * shard_.shape_.width;
  }
  [[nodiscard]] const float* mlp_gain(std::size_t layer) const {
    return attention_gain(layer) + shard_.shape_.width;
  }
  [[nodiscard]] const float* final_gain() const { return attention_gain(shard_.shape_.layers); }

  [[nodiscard]] const T* weights(std::size_t part) {
    if (!shard_.gathers_parts_)
      return shard_.weights_.data() + part_range(shard_.shape_, part).begin;
    expect(part);
    const std::size_t slot = slot_of(shard_.shape_, part);
    if (const auto mark = std::exchange(fetched_[slot].mark, std::nullopt)) backend_.wait(*mark);
    return shard_.weight_slots_[slot].data();
  }
  void expect(std::size_t part) {
    if (!shard_.gathers_parts_) return;
    const std::size_t slot = slot_of(shard_.shape_, part);
    if (fetched_[slot].part == part) return;
    fetched_[slot] = {part, backend_.aside(*shard_.collective_,
                                           [this, part, slot] { return fetch(part, slot); })};
    last_ = fetched_[slot].mark;
  }

  [[nodiscard]] float* open_gradient(std::size_t part) {
    const std::size_t slot = slot_of(shard_.shape_, part);
    if (const auto mark = std::exchange(reduced_[slot], std::nullopt)) backend_.wait(*mark);
    const Range range = part_range(shard_.shape_, part);
    backend_.zero(gradient(part), range.size());
    return gradient(part);
  }
  [[nodiscard]] float* gradient(std::size_t part) {
    return shard_.gradient_slots_[slot_of(shard_.shape_, part)].data();
  }
  void gradient_done(std::size_t part) {
    last_ = backend_.aside(*shard_.collective_, [this, part] { return reduce(part); });
    reduced_[slot_of(shard_.shape_, part)] = last_;
  }

  // All that was done aside is done.
  void join() {
    if (last_) backend_.wait(*last_);
  }

 private:
  using Mark = typename Backend::Mark;
  struct Fetched {
    std::optional<std::size_t> part;
    std::optional<Mark> mark;  // until it was waited for
  };

  Status fetch(std::size_t part, std::size_t slot) {
    const Range range = part_range(shard_.shape_, part), own = shard_.own(),
                mine = common(own, range);
    T* const to = shard_.weight_slots_[slot].data();
    const auto from = [&]() -> const void* {
      if (shard_.own_weights() == nullptr) return theta_ + (mine.begin - own.begin);
      return shard_.own_weights() + (mine.begin - own.begin);
    };
    if (!mine.empty()) {
      const auto floats =
          Shard<T, Backend>::floats_of(to + (mine.begin - range.begin), mine.size());
      backend_.run(
          RoundTask<float>{static_cast<const float*>(from()), floats.data(), floats.size()},
          element_blocks(floats.size()));
    }
    return shard_.collective_->all_gather(Shard<T, Backend>::floats_of(to, range.size()),
                                          shard_.floats_of_part_[part]);
  }

  Status reduce(std::size_t part) {
    const Range range = part_range(shard_.shape_, part), own = shard_.own(),
                mine = common(own, range);
    float* const into = mine.empty() ? shard_.sum_.data() : gradient_ + (mine.begin - own.begin);
    float* const sum = is_first_ ? into : shard_.sum_.data();
    MUSTER_TRY_STATUS(shard_.collective_->reduce_scatter(
        {gradient(part), range.size()}, shard_.owned_of_part_[part], {sum, mine.size()}));
    if (!is_first_)
      backend_.run(CombineTask<float, float, float>{into, sum, into, 1, 1, mine.size()},
                   chunk_count(mine.size()));
    return {};
  }

  Shard<T, Backend>& shard_;
  Backend& backend_;
  const float* theta_;
  float* gradient_;
  bool is_first_;
  std::array<Fetched, kSlots> fetched_;
  std::array<std::optional<Mark>, kSlots> reduced_;
  std::optional<Mark> last_;
};

}  // namespace muster::gpu
