// HostCard: a Card whose thread blocks are teams played by the host, so that a card's algorithms
// meet the same tests on every machine.
#pragma once

#include <algorithm>

#include "cuda/compress_block.h"
#include "cuda/gpu.h"
#include "cuda/host_team.h"
#include "cuda/product_block.h"
#include "cuda/sum_block.h"
#include "model/host_array.h"
#include "tests/cuda/llama/host_backend.h"

namespace muster::gpu {

inline std::vector<BlockPlace> places_of(const compression::Layout& layout) {
  std::vector<BlockPlace> places;
  for (std::uint64_t b = 0; b < layout.block_count(); ++b)
    places.push_back({layout.block(b).offset, layout.block(b).elements});
  return places;
}

class HostErrorFeedback final : public ErrorFeedback {
 public:
  explicit HostErrorFeedback(const compression::Layout& layout, unsigned threads)
      : ErrorFeedback(layout, threads),
        places_(places_of(layout)),
        residual_(std::make_unique<model::HostArray>(layout.parameters())),
        delta_(std::make_unique<model::HostArray>(layout.parameters())) {}

  [[nodiscard]] FloatArray& delta() override { return *delta_; }
  [[nodiscard]] Result<FloatArray*> residual() override {
    pay_beta();
    return static_cast<FloatArray*>(residual_.get());
  }
  [[nodiscard]] Result<compression::Selection> select(
      const compression::PayloadFormat& format) override {
    format_ = format;
    fresh_.resize(places_.size(), format.fresh_part());
    memory_.resize(places_.size(), format.memory_part());
    const CompressTask task{places_.data(), delta_->device_data(), residual_->device_data(),
                            owed_beta_,     fresh_.task(),         memory_.task()};
    const auto shared = std::make_unique<CompressWorkspace>();
    HostTeam team;
    for (std::uint64_t b = 0; b < places_.size(); ++b) {
      if (level_bits(format.values) == 0) compress_block<0>(team, *shared, task, b);
      if (level_bits(format.values) == 1) compress_block<1>(team, *shared, task, b);
      if (level_bits(format.values) == 2) compress_block<2>(team, *shared, task, b);
      if (level_bits(format.values) == 3) compress_block<3>(team, *shared, task, b);
    }
    pending_ = true;
    is_restored_ = false;
    return selection();
  }
  [[nodiscard]] bool is_pending() const override { return pending_; }
  [[nodiscard]] Result<compression::ErrorFeedback::State> state() const override {
    if (is_restored_) return restored_;
    compression::ErrorFeedback::State state{.pending = pending_, .indices = {}, .originals = {}};
    if (pending_)
      append_originals(this->layout(), selection(), fresh_.originals, memory_.originals,
                       state.indices, state.originals);
    return state;
  }
  [[nodiscard]] Status restore(const compression::ErrorFeedback::State& state) override {
    restored_ = state;
    pending_ = is_restored_ = state.pending;
    owed_beta_ = 1;
    return {};
  }
  [[nodiscard]] Status settle_delivered(float beta) override {
    take_turns(beta);
    return {};
  }
  [[nodiscard]] Status settle_kept(float beta) override {
    const auto pending = state().value();
    for (std::size_t i = 0; i < pending.indices.size(); ++i)
      delta_->device_data()[pending.indices[i]] = pending.originals[i];
    take_turns(beta);
    return {};
  }
  [[nodiscard]] Status settle_missed(float beta) override {
    pay_beta();
    owed_beta_ = beta;
    pending_ = is_restored_ = false;
    return {};
  }

 private:
  void take_turns(float beta) {
    std::swap(residual_, delta_);
    owed_beta_ = beta;
    pending_ = is_restored_ = false;
  }
  void pay_beta() {
    if (owed_beta_ != 1)
      for (std::uint64_t i = 0; i < residual_->size(); ++i)
        residual_->device_data()[i] *= owed_beta_;
    owed_beta_ = 1;
  }

  struct PartRoom {
    std::uint32_t keep = 0;
    std::vector<std::uint16_t> counts, levels, entries;
    std::vector<float> originals;

    void resize(std::uint64_t blocks, const compression::PayloadFormat& part) {
      keep = part.keep;
      counts.resize(keep > 0 ? blocks : 0);
      levels.resize(counts.size() << level_bits(part.values));
      entries.resize(blocks * keep);
      originals.resize(entries.size());
    }
    [[nodiscard]] PartTask task() {
      return {keep, counts.data(), levels.data(), entries.data(), originals.data()};
    }
  };
  [[nodiscard]] compression::Selection selection() const {
    return {format_,
            {fresh_.counts, fresh_.levels, fresh_.entries},
            {memory_.counts, memory_.levels, memory_.entries}};
  }

  std::vector<BlockPlace> places_;
  std::unique_ptr<model::HostArray> residual_, delta_;
  float owed_beta_ = 1;
  bool pending_ = false, is_restored_ = false;
  compression::ErrorFeedback::State restored_;
  compression::PayloadFormat format_;
  PartRoom fresh_, memory_;
};

class HostProducts final : public Products {
 public:
  explicit HostProducts(ProductPlan plan) : plan_(std::move(plan)) {}
  [[nodiscard]] Result<std::vector<double>> multiply(FloatArray& array) override {
    std::vector<double> sums(plan_.chunks.size());
    HostTeam team;
    for (std::uint64_t chunk = 0; chunk < sums.size(); ++chunk)
      multiply_chunk(team,
                     {array.device_data(), plan_.indices.data(), plan_.values.data(),
                      plan_.chunks.data(), sums.data()},
                     chunk);
    return plan_.collect(sums);
  }

 private:
  ProductPlan plan_;
};

class HostDisplacement final : public Displacement {
 public:
  HostDisplacement(FloatArray& array, std::vector<std::uint64_t> indices, std::vector<float> kept)
      : array_(array), indices_(std::move(indices)), kept_(std::move(kept)) {}
  [[nodiscard]] Status swap() override {
    for (std::size_t i = 0; i < indices_.size(); ++i)
      std::swap(array_.device_data()[indices_[i]], kept_[i]);
    return {};
  }

 private:
  FloatArray& array_;
  std::vector<std::uint64_t> indices_;
  std::vector<float> kept_;
};

class HostCard final : public Card {
 public:
  [[nodiscard]] CardInfo info() const override { return {}; }
  [[nodiscard]] double kernel_seconds() const override { return 0; }
  [[nodiscard]] Result<std::unique_ptr<FloatArray>> make_array(std::uint64_t count) override {
    return std::unique_ptr<FloatArray>(std::make_unique<model::HostArray>(count));
  }
  [[nodiscard]] Result<std::unique_ptr<model::ErrorFeedback>> make_error_feedback(
      const compression::Layout& layout, unsigned threads) override {
    return std::unique_ptr<model::ErrorFeedback>(
        std::make_unique<HostErrorFeedback>(layout, threads));
  }
  [[nodiscard]] Status copy(FloatArray& from, FloatArray& to) override {
    return from.read({to.device_data(), to.size()});
  }
  [[nodiscard]] Status add(const compression::Layout& layout, FloatArray& sum,
                           std::span<const BlockwiseEntries> payloads,
                           std::span<const float> weights) override {
    const auto places = places_of(layout);
    const auto shared = std::make_unique<SumWorkspace>();
    HostTeam team;
    for (std::size_t first = 0; first < payloads.size(); first += kThreads) {
      std::vector<EntryList> lists;
      for (std::size_t p = first; p < std::min<std::size_t>(payloads.size(), first + kThreads); ++p)
        lists.push_back(list_of(payloads[p]));
      const SumTask task{places.data(), sum.device_data(), lists.data(), weights.data() + first,
                         static_cast<std::uint32_t>(lists.size())};
      for (std::uint64_t b = 0; b < places.size(); ++b) sum_block(team, *shared, task, b);
    }
    return {};
  }
  [[nodiscard]] Status outer_step(const compression::Layout& layout, FloatArray& theta,
                                  const BlockwiseEntries& aggregate, float learning_rate) override {
    const auto places = places_of(layout);
    HostTeam team;
    for (std::uint64_t b = 0; b < places.size(); ++b)
      step_block(team, {places.data(), theta.device_data(), list_of(aggregate), learning_rate}, b);
    return {};
  }

  [[nodiscard]] Result<std::unique_ptr<Displacement>> displace(
      FloatArray& array, const compression::SparseUpdate& update, float rate) override {
    std::vector<float> kept;
    for (std::size_t i = 0; i < update.indices.size(); ++i) {
      float& x = array.device_data()[update.indices[i]];
      kept.push_back(x);
      x -= rate * update.values[i];
    }
    return std::unique_ptr<Displacement>(
        std::make_unique<HostDisplacement>(array, update.indices, std::move(kept)));
  }
  [[nodiscard]] Result<std::unique_ptr<Products>> make_products(
      std::span<const compression::SparseUpdate* const> updates,
      const state::TensorGroups& groups) override {
    return std::unique_ptr<Products>(std::make_unique<HostProducts>(ProductPlan(updates, groups)));
  }
  [[nodiscard]] Status gather(FloatArray& array, std::span<const std::uint64_t> indices,
                              std::span<float> values) override {
    for (std::size_t i = 0; i < indices.size(); ++i) values[i] = array.device_data()[indices[i]];
    return {};
  }
  [[nodiscard]] Result<bool> subtract(FloatArray& a, FloatArray& b,
                                      FloatArray& difference) override {
    bool finite = true;
    for (std::uint64_t i = 0; i < a.size(); ++i) {
      const float x = a.device_data()[i] - b.device_data()[i];
      difference.device_data()[i] = x;
      finite = finite && std::isfinite(x);
    }
    return finite;
  }
  [[nodiscard]] Result<std::unique_ptr<Collective>> join(const GroupId&, unsigned,
                                                         unsigned) override {
    return Error{Errc::kNotFound, "the host is no card"};
  }
  [[nodiscard]] Result<std::unique_ptr<TrainableModel>> make_model(
      const ModelSettings& settings) override {
    auto backend = std::make_unique<HostBackend>();
    if (settings.compute == Compute::kFloat32)
      return ModelOn<float, HostBackend>::make(std::move(backend), settings);
    return ModelOn<Bf16, HostBackend>::make(std::move(backend), settings);
  }

 private:
  static EntryList list_of(const BlockwiseEntries& entries) {
    return {entries.ends.data(), entries.indices.data(), entries.values.data()};
  }
};

}  // namespace muster::gpu
