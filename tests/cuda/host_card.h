// HostCard: a Card whose thread blocks are teams played by the host, so that a card's algorithms meet the same
// tests on every machine.
#pragma once

#include <algorithm>

#include "cuda/compress_block.h"
#include "cuda/gpu.h"
#include "cuda/host_team.h"
#include "cuda/sum_block.h"

namespace muster::gpu {

inline std::vector<BlockPlace> places_of(const compression::Layout& layout) {
  std::vector<BlockPlace> places;
  for (std::uint64_t b = 0; b < layout.block_count(); ++b)
    places.push_back({layout.block(b).offset, layout.block(b).elements});
  return places;
}

class HostArray final : public FloatArray {
 public:
  explicit HostArray(std::uint64_t count) : values_(count, 0.0f) {}
  [[nodiscard]] std::uint64_t size() const override { return values_.size(); }
  [[nodiscard]] float* device_data() override { return values_.data(); }
  [[nodiscard]] Status write(std::span<const float> from) override {
    std::copy(from.begin(), from.end(), values_.begin());
    return {};
  }
  [[nodiscard]] Status read(std::span<float> to) const override {
    std::copy(values_.begin(), values_.end(), to.begin());
    return {};
  }

 private:
  std::vector<float> values_;
};

class HostErrorFeedback final : public ErrorFeedback {
 public:
  explicit HostErrorFeedback(const compression::Layout& layout)
      : places_(places_of(layout)),
        residual_(std::make_unique<HostArray>(layout.parameters())),
        delta_(std::make_unique<HostArray>(layout.parameters())) {}

  [[nodiscard]] FloatArray& delta() override { return *delta_; }
  [[nodiscard]] Result<FloatArray*> residual() override {
    pay_beta();
    return static_cast<FloatArray*>(residual_.get());
  }
  [[nodiscard]] Result<compression::Selection> select(const compression::PayloadFormat& format) override {
    keep_ = format.keep;
    counts_.resize(places_.size());
    levels_.resize(places_.size() << level_bits(format.values));
    entries_.resize(places_.size() * format.keep);
    originals_.resize(entries_.size());
    const CompressTask task{places_.data(), delta_->device_data(), residual_->device_data(),
                            owed_beta_,     format.keep,           counts_.data(),
                            levels_.data(), entries_.data(),       originals_.data()};
    const auto shared = std::make_unique<CompressWorkspace>();
    HostTeam team;
    for (std::uint64_t b = 0; b < places_.size(); ++b) {
      if (level_bits(format.values) == 0) compress_block<0>(team, *shared, task, b);
      if (level_bits(format.values) == 1) compress_block<1>(team, *shared, task, b);
      if (level_bits(format.values) == 2) compress_block<2>(team, *shared, task, b);
      if (level_bits(format.values) == 3) compress_block<3>(team, *shared, task, b);
    }
    return compression::Selection{format, counts_, levels_, entries_};
  }
  [[nodiscard]] Status settle_delivered(float beta) override {
    take_turns(beta);
    return {};
  }
  [[nodiscard]] Status settle_kept(float beta) override {
    for (std::uint64_t b = 0; b < places_.size(); ++b)
      for (std::uint64_t i = b * keep_, n = 0; n < counts_[b]; ++i, ++n)
        delta_->device_data()[places_[b].offset + compression::index_of(entries_[i])] = originals_[i];
    take_turns(beta);
    return {};
  }
  [[nodiscard]] Status settle_missed(float beta) override {
    pay_beta();
    owed_beta_ = beta;
    return {};
  }

 private:
  void take_turns(float beta) {
    std::swap(residual_, delta_);
    owed_beta_ = beta;
  }
  void pay_beta() {
    if (owed_beta_ != 1)
      for (std::uint64_t i = 0; i < residual_->size(); ++i) residual_->device_data()[i] *= owed_beta_;
    owed_beta_ = 1;
  }

  std::vector<BlockPlace> places_;
  std::unique_ptr<HostArray> residual_, delta_;
  float owed_beta_ = 1;
  std::uint32_t keep_ = 0;
  std::vector<std::uint16_t> counts_, levels_, entries_;
  std::vector<float> originals_;
};

class HostCard final : public Card {
 public:
  [[nodiscard]] CardInfo info() const override { return {}; }
  [[nodiscard]] double kernel_seconds() const override { return 0; }
  [[nodiscard]] Result<std::unique_ptr<FloatArray>> make_array(std::uint64_t count) override {
    return std::unique_ptr<FloatArray>(std::make_unique<HostArray>(count));
  }
  [[nodiscard]] Result<std::unique_ptr<ErrorFeedback>> make_error_feedback(
      const compression::Layout& layout) override {
    return std::unique_ptr<ErrorFeedback>(std::make_unique<HostErrorFeedback>(layout));
  }
  [[nodiscard]] Status copy(const FloatArray& from, FloatArray& to) override {
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

 private:
  static EntryList list_of(const BlockwiseEntries& entries) {
    return {entries.ends.data(), entries.indices.data(), entries.values.data()};
  }
};

}  // namespace muster::gpu
