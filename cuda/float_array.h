// FloatArray: fp32 numbers in a card's memory. Thread safety: that of its card.
#pragma once

#include <cstdint>
#include <span>

#include "base/result.h"

namespace muster::gpu {

class FloatArray {
 public:
  virtual ~FloatArray() = default;
  [[nodiscard]] virtual std::uint64_t size() const = 0;
  // Memory of the card, for other programs of this process that compute there.
  [[nodiscard]] virtual float* device_data() = 0;
  // The whole array from and to the host. REQUIRES: equal sizes. Error: kIo.
  [[nodiscard]] virtual Status write(std::span<const float> from) = 0;
  [[nodiscard]] virtual Status read(std::span<float> to) const = 0;
};

}  // namespace muster::gpu
