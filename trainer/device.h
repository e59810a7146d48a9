// Where a training computes: this machine's CPU, or a graphics card behind cuda/gpu.h.
//
// Thread safety: pure but for the device.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>

#include "cuda/gpu.h"
#include "model/device.h"
#include "trainer/llama/llama.h"

namespace muster::trainer {

// kAuto: a card where there is one that takes the model, else the CPU.
enum class DeviceChoice : std::uint8_t { kCpu, kCuda, kAuto };

struct OpenDevice {
  std::shared_ptr<model::Device> device;
  std::shared_ptr<gpu::Card> card;  // the same, where it is one; null: the CPU
};

// For models of `spec`. `compute`: of models on the CPU; compute.libraries is where
// libmuster_cuda.so lies, empty: beside the program. `index`: which card. Errors with kCuda: those
// of Cards::open and check_model, saying that the option asked for it.
[[nodiscard]] Result<OpenDevice> open_device(DeviceChoice choice, const state::ModelSpec& spec,
                                             const ComputeOptions& compute, unsigned threads,
                                             unsigned index = 0);

}  // namespace muster::trainer
