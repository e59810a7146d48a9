// Era: how long a signed extrinsic may live. Immortal, or mortal over a window of blocks that
// repeats.
//
// A mortal era signs the hash of its birth block, so an extrinsic cannot be replayed on another
// fork, and dies at birth + period. Source: sp_runtime generic/era.rs. Thread safety: a value.
#pragma once

#include <cstdint>

#include "chain/codec/scale.h"

namespace muster::chain {

class Era {
 public:
  static constexpr std::uint64_t kPeriodMin = 4;
  static constexpr std::uint64_t kPeriodMax = 65536;

  // Immortal.
  Era() = default;
  // Mortal from about `current_block`: the period is rounded up to a power of two within
  // kPeriodMin..kPeriodMax, and long periods round the phase down to a multiple of period/4096.
  [[nodiscard]] static Era mortal(std::uint64_t period, std::uint64_t current_block);

  [[nodiscard]] bool is_immortal() const { return period_ == 0; }
  [[nodiscard]] std::uint64_t period() const { return period_; }  // 0 when immortal
  [[nodiscard]] std::uint64_t phase() const { return phase_; }
  // The last block at or before `current_block` at which the window begins; 0 when immortal.
  [[nodiscard]] std::uint64_t birth(std::uint64_t current_block) const;
  // The first block at which the extrinsic is no longer valid.
  [[nodiscard]] std::uint64_t death(std::uint64_t current_block) const;

  static void fields(const Era& era, ScaleWriter& codec);
  static void fields(Era& era, ScaleReader& codec);
  bool operator==(const Era&) const = default;

 private:
  Era(std::uint64_t period, std::uint64_t phase) : period_(period), phase_(phase) {}
  std::uint64_t period_ = 0;
  std::uint64_t phase_ = 0;
};

}  // namespace muster::chain
