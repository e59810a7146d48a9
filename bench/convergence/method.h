// Method: how miners train together, as numbers. Thread safety: values.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "compression/payload_format.h"
#include "trainer/optim/optimizer.h"

namespace muster::bench {

enum class Exchange {
  kGradients,  // every step, dense: data-parallel
  kDense,      // every H steps, dense: DiLoCo (Douillard et al., arXiv 2311.08105)
  kTemplar,    // every H steps, the k largest of 4096, four bins per tensor, every miner downloads
               // all of them
  kOurs,       // every H steps, sealed by the coordinator as in a run
};

struct Density {
  std::uint32_t rounds = 0;  // 0: for ever
  std::uint32_t keep = 64;
};

struct Method {
  std::string name;
  Exchange exchange = Exchange::kOurs;
  std::uint32_t inner_steps = 10;  // H
  double learning_rate = 8e-3;     // peak, of the inner optimizer
  trainer::OptimizerKind optimizer = trainer::OptimizerKind::kAdamW;
  float outer_rate = 1.0f;
  float nesterov = 0.0f;        // outer momentum
  float feedback_decay = 1.0f;  // β
  std::vector<Density> schedule = {{0, 64}};
  compression::ValueFormat values = compression::ValueFormat::kSign;
  std::uint32_t down_factor = 4;  // downlink keeps this many times more
};

// The comparison: data-parallel, dense DiLoCo, Templar's settings, ours.
[[nodiscard]] std::vector<Method> standard_methods(const std::vector<std::uint32_t>& inner_steps);

}  // namespace muster::bench
