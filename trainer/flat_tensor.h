// Flat fp32 tensors as spans, and back. Thread safety: that of the tensor.
#pragma once

#include <ATen/ATen.h>

#include <algorithm>
#include <span>

namespace muster::trainer {

// A copy of `values`, shape [values.size()].
[[nodiscard]] inline at::Tensor tensor_of(std::span<const float> values) {
  at::Tensor tensor = at::empty({static_cast<std::int64_t>(values.size())});
  std::copy(values.begin(), values.end(), tensor.data_ptr<float>());
  return tensor;
}

// Views, valid as long as the tensor's storage. REQUIRES: contiguous fp32.
[[nodiscard]] inline std::span<const float> floats(const at::Tensor& tensor) {
  return {tensor.const_data_ptr<float>(), static_cast<std::size_t>(tensor.numel())};
}
[[nodiscard]] inline std::span<float> mutable_floats(const at::Tensor& tensor) {
  return {tensor.mutable_data_ptr<float>(), static_cast<std::size_t>(tensor.numel())};
}

}  // namespace muster::trainer
