// FloatArray: fp32 numbers in the memory of a device: the host's, or a GPU's. Thread safety: that
// of its device.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/result.h"

namespace muster::model {

class FloatArray {
 public:
  virtual ~FloatArray() = default;
  [[nodiscard]] virtual std::uint64_t size() const = 0;
  // Memory of the device, for other programs of this process that compute there.
  [[nodiscard]] virtual float* device_data() = 0;
  // The whole array from and to the host. REQUIRES: equal sizes. Error: kIo.
  [[nodiscard]] virtual Status write(std::span<const float> from) = 0;
  [[nodiscard]] virtual Status read(std::span<float> to) const = 0;
  // The numbers in the host's memory: those of an array of the host themselves, else a copy in
  // `room`. Valid until the array or `room` changes. Error: kIo.
  [[nodiscard]] virtual Result<std::span<float>> on_host(std::vector<float>& room) {
    room.resize(size());
    MUSTER_TRY_STATUS(read(room));
    return std::span<float>(room);
  }
};

}  // namespace muster::model
