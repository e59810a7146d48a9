#include "cli/tune.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "base/prng.h"

namespace muster::cli {
namespace {

struct Cost {
  double bytes_per_parameter = 0;
  double value_error = 0;
};

// Measured by coding a full segment of heavy-tailed numbers.
Cost cost_of(const compression::PayloadFormat& format) {
  const auto layout =
      compression::Layout::make({{"a", {compression::kSegmentBlocks, compression::kBlockElements}}})
          .value();
  Prng random(1);
  std::vector<float> values(layout.parameters());
  for (float& x : values) {
    const double u = random.uniform() * 2 - 1;
    x = static_cast<float>(u * u * u / (1.05 - u * u));
  }
  const auto payload = compression::compress(layout, format, values).value();
  const auto update = compression::decode(layout, payload).value();
  double error = 0, square = 0;
  for (std::size_t i = 0; i < update.indices.size(); ++i) {
    const auto value = static_cast<double>(values[update.indices[i]]);
    error += std::pow(value - static_cast<double>(update.values[i]), 2);
    square += value * value;
  }
  return {
      static_cast<double>(payload.segments[0].size()) / static_cast<double>(layout.parameters()),
      error / square};
}

}  // namespace

double loss_penalty(double sweeps) {
  struct Point {
    double sweeps, penalty;
  };
  static constexpr std::array<Point, 3> kMeasured{{{3.1, 0.112}, {12.5, 0.030}, {200, 0}}};
  if (sweeps >= kMeasured.back().sweeps) return 0;
  // On a logarithmic scale; below the first point along the first line.
  const std::size_t right = sweeps < kMeasured[1].sweeps ? 1 : 2;
  const Point &a = kMeasured[right - 1], &b = kMeasured[right];
  const double at = std::log(sweeps / a.sweeps) / std::log(b.sweeps / a.sweeps);
  return a.penalty + (b.penalty - a.penalty) * at;
}

std::vector<TunedDensity> tune(const protocol::ProtocolParams& params, const Links& links,
                               std::uint32_t rounds) {
  const auto parameters = static_cast<double>(state::layout_of(params.model).parameters());
  std::vector<TunedDensity> densities;
  for (std::uint32_t keep = 8; keep <= compression::kBlockElements; keep *= 2) {
    protocol::ProtocolParams at = params;
    at.compression.schedule = {{rounds, keep}};
    TunedDensity tuned{.keep = keep};
    const Cost up = cost_of(at.uplink_format(Round{}));
    tuned.value_error = up.value_error;
    tuned.bytes_up = parameters * up.bytes_per_parameter;
    tuned.bytes_down = parameters * cost_of(at.downlink_format(Round{})).bytes_per_parameter;
    tuned.seconds_up = tuned.bytes_up / links.uplink;
    tuned.seconds_down = tuned.bytes_down / links.downlink;
    tuned.share = (tuned.seconds_up + tuned.seconds_down) / links.round_s;
    tuned.sweeps = static_cast<double>(rounds) * keep / compression::kBlockElements;
    tuned.loss_penalty = loss_penalty(tuned.sweeps);
    densities.push_back(tuned);
  }
  return densities;
}

const TunedDensity& pick(const std::vector<TunedDensity>& densities, const Links& links) {
  return *std::min_element(densities.begin(), densities.end(), [&](const auto& a, const auto& b) {
    const bool a_fits = a.share <= links.share_max, b_fits = b.share <= links.share_max;
    if (a_fits != b_fits) return a_fits;
    if (a_fits && a.loss_penalty != b.loss_penalty) return a.loss_penalty < b.loss_penalty;
    return a.bytes_up < b.bytes_up;
  });
}

}  // namespace muster::cli
