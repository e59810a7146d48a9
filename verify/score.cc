#include "verify/score.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace muster::verify {

using protocol::ProbePoint;

double rank_sum_z(std::span<const double> own, std::span<const double> random) {
  const std::size_t n = own.size(), m = random.size(), total = n + m;
  if (n == 0 || m == 0) return 0;
  std::vector<double> values(own.begin(), own.end());
  values.insert(values.end(), random.begin(), random.end());
  std::vector<std::size_t> order(total);
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(),
            [&](std::size_t a, std::size_t b) { return values[a] < values[b]; });
  double own_ranks = 0;
  double tie_correction = 0;
  for (std::size_t first = 0; first < total;) {
    std::size_t last = first;
    while (last + 1 < total && values[order[last + 1]] == values[order[first]]) ++last;
    const auto tied = static_cast<double>(last - first + 1);
    const double middle_rank = static_cast<double>(first + last) / 2 + 1;
    for (std::size_t i = first; i <= last; ++i)
      if (order[i] < n) own_ranks += middle_rank;
    tie_correction += tied * tied * tied - tied;
    first = last + 1;
  }
  const auto dn = static_cast<double>(n), dm = static_cast<double>(m), dt = dn + dm;
  const double variance = dn * dm / 12 * (dt + 1 - tie_correction / (dt * (dt - 1)));
  if (!(variance > 0)) return 0;
  return (own_ranks - dn * (dt + 1) / 2) / std::sqrt(variance);
}

double own_versus_random_z(std::span<const double> own_drops, std::span<const double> own_controls,
                           std::span<const double> shared_drops,
                           std::span<const double> shared_controls) {
  double cross = 0, square = 0;
  for (std::size_t i = 0; i < shared_drops.size(); ++i) {
    cross += shared_drops[i] * shared_controls[i];
    square += shared_controls[i] * shared_controls[i];
  }
  const double factor = cross / (square + 1e-12);
  auto explained_away = [factor](std::span<const double> drops, std::span<const double> controls) {
    std::vector<double> rest(drops.size());
    for (std::size_t i = 0; i < drops.size(); ++i) rest[i] = drops[i] - factor * controls[i];
    return rest;
  };
  return rank_sum_z(explained_away(own_drops, own_controls),
                    explained_away(shared_drops, shared_controls));
}

namespace {

std::vector<double> difference(std::span<const float> before, std::span<const float> after) {
  std::vector<double> drops(before.size());
  for (std::size_t i = 0; i < before.size(); ++i)
    drops[i] = static_cast<double>(before[i]) - static_cast<double>(after[i]);
  return drops;
}

struct Moments {
  double mean = 0;
  double error = 0;  // standard error of the mean
};

Moments moments(std::span<const double> values) {
  if (values.empty()) return {};
  const auto n = static_cast<double>(values.size());
  const double mean = std::accumulate(values.begin(), values.end(), 0.0) / n;
  double square = 0;
  for (double value : values) square += (value - mean) * (value - mean);
  return {mean, values.size() < 2 ? 0 : std::sqrt(square / (n - 1) / n)};
}

// A payload may throw θ so far that losses are not numbers any more: as bad as can be, and comparable.
constexpr float kWorstLoss = 1e6f;

Result<std::vector<float>> losses(protocol::LossProbe& probe, ProbePoint point,
                                  const compression::SparseUpdate* update, float scale,
                                  std::span<const std::uint64_t> sequences) {
  MUSTER_TRY(auto values, probe.losses(point, update, scale, sequences));
  for (float& value : values) value = value < kWorstLoss ? value : kWorstLoss;
  return values;
}

struct SharedBase {
  std::vector<float> losses;
  std::vector<double> controls;
  double mean = 0;
};

Result<Measurement> measure(protocol::LossProbe& probe, const ScoreTask& task,
                            const ScoreItem& item, const SharedBase& shared) {
  const std::size_t shared_count = task.shared_sequences.size();
  MUSTER_TRY(const auto own_before,
             losses(probe, ProbePoint::kPrevious, nullptr, 0, item.own_sequences));
  MUSTER_TRY(const auto own_control,
             losses(probe, ProbePoint::kCurrent, nullptr, 0, item.own_sequences));
  std::vector<std::uint64_t> sequences = task.shared_sequences;
  sequences.insert(sequences.end(), item.own_sequences.begin(), item.own_sequences.end());
  MUSTER_TRY(const auto displaced, losses(probe, ProbePoint::kPrevious, &item.payload->fresh,
                                          task.probe_step, sequences));
  MUSTER_TRY(const auto by_whole, losses(probe, ProbePoint::kPrevious, &item.payload->whole,
                                         task.probe_step, task.shared_sequences));
  const std::span<const float> after(displaced);
  const auto shared_drops = difference(shared.losses, after.first(shared_count));
  const auto own_drops = difference(own_before, after.subspan(shared_count));
  Measurement measured{item.uid, 0, 0, 0};
  measured.z = own_versus_random_z(own_drops, difference(own_before, own_control), shared_drops,
                                   shared.controls);
  if (shared.mean > 0) {
    const Moments drop = moments(difference(shared.losses, by_whole));
    measured.relative_drop = drop.mean / shared.mean;
    measured.drop_error = drop.error / shared.mean;
  }
  return measured;
}

}  // namespace

Result<std::vector<Measurement>> score(protocol::LossProbe& probe, const ScoreTask& task,
                                       const std::atomic<bool>& stop) {
  std::vector<Measurement> measurements;
  if (stop || task.items.empty()) return measurements;
  SharedBase shared;
  MUSTER_TRY(shared.losses,
             losses(probe, ProbePoint::kPrevious, nullptr, 0, task.shared_sequences));
  MUSTER_TRY(const auto after,
             losses(probe, ProbePoint::kCurrent, nullptr, 0, task.shared_sequences));
  shared.controls = difference(shared.losses, after);
  shared.mean = moments(std::vector<double>(shared.losses.begin(), shared.losses.end())).mean;
  for (const ScoreItem& item : task.items) {
    if (stop) break;
    MUSTER_TRY(Measurement measured, measure(probe, task, item, shared));
    measurements.push_back(measured);
  }
  return measurements;
}

}  // namespace muster::verify
