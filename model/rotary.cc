#include "model/rotary.h"

#include <cmath>
#include <numbers>

namespace muster::model {
namespace {

float stretched(float frequency, const state::RopeScaling& scaling) {
  const double f = frequency, original = scaling.original_context, factor = scaling.factor;
  const double low = scaling.low_frequency_factor, high = scaling.high_frequency_factor;
  const double wavelength = 2 * std::numbers::pi / f;
  if (wavelength > original / low) return static_cast<float>(f / factor);
  if (wavelength < original / high) return frequency;
  const double blend = (original / wavelength - low) / (high - low);
  return static_cast<float>((1 - blend) * f / factor + blend * f);
}

}  // namespace

Rotary::Rotary(const state::ModelSpec& spec, std::size_t positions)
    : half_(spec.d_model / spec.heads / 2), cosines_(positions * half_), sines_(positions * half_) {
  for (std::size_t i = 0; i < half_; ++i) {
    const double exponent = static_cast<double>(i) / static_cast<double>(half_);
    auto frequency = static_cast<float>(std::pow(static_cast<double>(spec.rope_theta), -exponent));
    if (spec.rope_scaling) frequency = stretched(frequency, *spec.rope_scaling);
    for (std::size_t t = 0; t < positions; ++t) {
      const float angle = static_cast<float>(t) * frequency;  // rounded, as the reference does
      cosines_[t * half_ + i] = static_cast<float>(std::cos(static_cast<double>(angle)));
      sines_[t * half_ + i] = static_cast<float>(std::sin(static_cast<double>(angle)));
    }
  }
}

}  // namespace muster::model
