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

double mean(std::span<const float> values) {
  double sum = 0;
  for (float value : values) sum += value;
  return values.empty() ? 0 : sum / static_cast<double>(values.size());
}

struct SharedBase {
  std::vector<float> losses;
  std::vector<double> controls;
};

Result<Measurement> measure(protocol::LossProbe& probe, const ScoreTask& task,
                            const ScoreItem& item, const SharedBase& shared) {
  const std::size_t shared_count = task.shared_sequences.size();
  MUSTER_TRY(const auto own_before,
             probe.losses(ProbePoint::kPrevious, nullptr, 0, item.own_sequences));
  MUSTER_TRY(const auto own_control,
             probe.losses(ProbePoint::kCurrent, nullptr, 0, item.own_sequences));
  std::vector<std::uint64_t> sequences = task.shared_sequences;
  sequences.insert(sequences.end(), item.own_sequences.begin(), item.own_sequences.end());
  MUSTER_TRY(const auto displaced, probe.losses(ProbePoint::kPrevious, item.payload.get(),
                                                task.probe_step, sequences));
  const std::span<const float> after(displaced);
  const auto shared_drops = difference(shared.losses, after.first(shared_count));
  const auto own_drops = difference(own_before, after.subspan(shared_count));
  Measurement measured{item.uid, 0, 0};
  measured.z = own_versus_random_z(own_drops, difference(own_before, own_control), shared_drops,
                                   shared.controls);
  const double base = mean(shared.losses);
  measured.relative_drop = base > 0 ? (base - mean(after.first(shared_count))) / base : 0;
  return measured;
}

}  // namespace

Result<std::vector<Measurement>> score(protocol::LossProbe& probe, const ScoreTask& task,
                                       const std::atomic<bool>& stop) {
  std::vector<Measurement> measurements;
  if (stop || task.items.empty()) return measurements;
  SharedBase shared;
  MUSTER_TRY(shared.losses, probe.losses(ProbePoint::kPrevious, nullptr, 0, task.shared_sequences));
  MUSTER_TRY(const auto after,
             probe.losses(ProbePoint::kCurrent, nullptr, 0, task.shared_sequences));
  shared.controls = difference(shared.losses, after);
  for (const ScoreItem& item : task.items) {
    if (stop) break;
    MUSTER_TRY(Measurement measured, measure(probe, task, item, shared));
    measurements.push_back(measured);
  }
  return measurements;
}

}  // namespace muster::verify
