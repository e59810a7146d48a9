// HostArray: a FloatArray in the host's memory. Thread safety: one owner.
#pragma once

#include <algorithm>
#include <vector>

#include "cuda/float_array.h"

namespace muster::gpu {

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

}  // namespace muster::gpu
