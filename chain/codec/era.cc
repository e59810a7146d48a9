#include "chain/codec/era.h"

#include <bit>
#include <limits>

namespace muster::chain {
namespace {

std::uint64_t quantum(std::uint64_t period) { return std::max<std::uint64_t>(period >> 12, 1); }

}  // namespace

Era Era::mortal(std::uint64_t period, std::uint64_t current_block) {
  period = std::clamp(std::bit_ceil(std::min(period, kPeriodMax)), kPeriodMin, kPeriodMax);
  const std::uint64_t phase = current_block % period;
  return {period, phase / quantum(period) * quantum(period)};
}

std::uint64_t Era::birth(std::uint64_t current_block) const {
  if (is_immortal()) return 0;
  return (std::max(current_block, phase_) - phase_) / period_ * period_ + phase_;
}

std::uint64_t Era::death(std::uint64_t current_block) const {
  return is_immortal() ? std::numeric_limits<std::uint64_t>::max() : birth(current_block) + period_;
}

void Era::fields(const Era& era, ScaleWriter& codec) {
  if (era.is_immortal()) return codec(std::uint8_t{0});
  const auto exponent = static_cast<unsigned>(std::countr_zero(era.period_));
  codec(static_cast<std::uint16_t>((exponent - 1) | (era.phase_ / quantum(era.period_)) << 4));
}

void Era::fields(Era& era, ScaleReader& codec) {
  era = Era();
  std::uint8_t first = 0, second = 0;
  codec(first);
  if (first == 0) return;
  codec(second);
  const std::uint64_t period = std::uint64_t{2} << (first & 15);
  const std::uint64_t phase =
      ((static_cast<std::uint64_t>(second) << 4) | (first >> 4)) * quantum(period);
  if (period < kPeriodMin || phase >= period) codec.fail(ScaleFault::kUnknownTag);
  if (!codec.failed()) era = {period, phase};
}

}  // namespace muster::chain
