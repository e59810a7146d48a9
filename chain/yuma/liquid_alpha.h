// Liquid alpha: how fast a bond follows its weight, by how far that weight is from consensus.
//
// Source: subtensor: epoch/run_epoch.rs (alpha_sigmoid). Thread safety: plain values, pure
// functions.
#pragma once

#include <cstdint>

#include "chain/fixed/fixed.h"

namespace muster::chain {

struct LiquidAlpha {
  I32F32 low;    // the slowest rate
  I32F32 high;   // the fastest
  I32F32 slope;  // of the sigmoid's exponent: minus its steepness

  // low and high in parts of 65535, as a subnet's AlphaValues; steepness as its
  // AlphaSigmoidSteepness.
  [[nodiscard]] static LiquidAlpha from_parameters(std::uint16_t low, std::uint16_t high,
                                                   std::int16_t steepness);
};

// The rate for one pair of validator and miner, within low..high.
[[nodiscard]] I32F32 liquid_alpha(const LiquidAlpha& parameters, I32F32 consensus, I32F32 weight,
                                  I32F32 bond);

}  // namespace muster::chain
