// HostArray: a FloatArray in the host's memory. Thread safety: one owner.
#pragma once

#include <algorithm>
#include <vector>

#include "model/float_array.h"

namespace muster::model {

class HostArray final : public FloatArray {
 public:
  // Zeros.
  explicit HostArray(std::uint64_t count) : own_(count, 0.0f), values_(own_) {}
  // A view of numbers that lie elsewhere and outlive it.
  explicit HostArray(std::span<float> values) : values_(values) {}
  HostArray(const HostArray&) = delete;
  HostArray& operator=(const HostArray&) = delete;

  [[nodiscard]] std::span<float> values() const { return values_; }
  [[nodiscard]] std::uint64_t size() const override { return values_.size(); }
  [[nodiscard]] float* device_data() override { return values_.data(); }
  [[nodiscard]] Status write(std::span<const float> from) override {
    if (from.data() != values_.data()) std::copy(from.begin(), from.end(), values_.begin());
    return {};
  }
  [[nodiscard]] Status read(std::span<float> to) const override {
    std::copy(values_.begin(), values_.end(), to.begin());
    return {};
  }
  [[nodiscard]] Result<std::span<float>> on_host(std::vector<float>&) override { return values_; }

 private:
  std::vector<float> own_;
  std::span<float> values_;
};

}  // namespace muster::model
