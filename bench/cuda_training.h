// Training on a card: tokens per second of whole steps, the share of the card's matrix peak, a
// validator's losses; beside PyTorch on the same card in the same run. Thread safety: one thread.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "cuda/gpu.h"

namespace muster::bench {

struct CudaTrainingOptions {
  std::vector<std::string> models;  // of cuda_training.cc's table
  std::uint32_t batch = 0;          // sequences; 0: the table's
  int steps = 10;                   // behind three that do not count
  bool has_peers = true;            // $MUSTER_PYTHON's PyTorch, where there is one
  double peak_tflops = 989;         // dense bf16: an H100 SXM's, which an H200 shares
};

[[nodiscard]] nlohmann::ordered_json measure_training(gpu::Card& card,
                                                      const CudaTrainingOptions& options);

}  // namespace muster::bench
