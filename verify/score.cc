#include "verify/score.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/prng.h"

namespace muster::verify {

using protocol::ProbePoint;
using protocol::Window;

namespace {

constexpr double kRankOffset = 0.1;  // how far a lowest rank counts

struct Moments {
  double mean = 0;
  double deviation = 0;  // of the values, by their number
};

Moments moments(std::span<const double> values) {
  if (values.empty()) return {};
  const auto n = static_cast<double>(values.size());
  const double mean = std::accumulate(values.begin(), values.end(), 0.0) / n;
  double square = 0;
  for (double value : values) square += (value - mean) * (value - mean);
  return {mean, std::sqrt(square / n)};
}

// The slope of the least-squares line through (x, y); 0 when all x are the same.
double slope(std::span<const double> x, std::span<const double> y) {
  const double mean_x = moments(x).mean, mean_y = moments(y).mean;
  double cross = 0, square = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    cross += (x[i] - mean_x) * (y[i] - mean_y);
    square += (x[i] - mean_x) * (x[i] - mean_x);
  }
  return square > 0 ? cross / square : 0;
}

// Every second window's product with a group, from `parity` on.
std::vector<double> column(const std::vector<double>& products, std::size_t groups,
                           std::size_t parity, std::size_t group) {
  std::vector<double> values;
  for (std::size_t at = parity * groups + group; at < products.size(); at += 2 * groups)
    values.push_back(products[at]);
  return values;
}

// x of each window and group, and each window's sum over groups in units of their deviation over
// the shared windows.
struct Residuals {
  std::vector<double> by_group, whole;
  explicit Residuals(const WindowProducts& products)
      : by_group(products.fresh.size()), whole(products.windows.size()) {}

  void add(const WindowProducts& products, std::size_t parity, std::size_t group, double factor,
           double deviation) {
    for (std::size_t w = parity; w < products.windows.size(); w += 2) {
      const std::size_t at = w * products.groups + group;
      by_group[at] = products.fresh[at] - factor * products.control[at];
      whole[w] += by_group[at] / deviation;
    }
  }
  // Of each sequence.
  [[nodiscard]] std::vector<double> of_group(std::size_t group, std::size_t groups) const {
    std::vector<double> sums;
    for (std::size_t at = group; at + groups < by_group.size(); at += 2 * groups)
      sums.push_back(by_group[at] + by_group[at + groups]);
    return sums;
  }
  [[nodiscard]] std::vector<double> of_all() const {
    std::vector<double> sums;
    for (std::size_t w = 0; w + 1 < whole.size(); w += 2) sums.push_back(whole[w] + whole[w + 1]);
    return sums;
  }
  // Of the windows whose middle lies in this quarter of the context.
  [[nodiscard]] std::vector<double> of_quarter(const std::vector<Window>& windows,
                                               std::size_t quarter, std::uint32_t context) const {
    std::vector<double> values;
    for (std::size_t w = 0; w < windows.size(); ++w)
      if (std::uint64_t{2} * (windows[w].first + windows[w].end) / context == quarter)
        values.push_back(whole[w]);
    return values;
  }
};

}  // namespace

double rank_score(std::span<const double> own, std::span<const double> reference) {
  if (own.empty() || reference.empty()) return 0;
  std::vector<double> sorted(reference.begin(), reference.end());
  std::ranges::sort(sorted);
  if (sorted.front() == sorted.back()) return 0;
  double sum = 0;
  for (const double x : own) {
    const auto [first, last] = std::equal_range(sorted.begin(), sorted.end(), x);
    const double rank =
        static_cast<double>(first - sorted.begin()) + static_cast<double>(last - first) / 2;
    sum += std::log((rank + 0.5) / static_cast<double>(sorted.size() + 1) + kRankOffset);
  }
  const double expected =
      (1 + kRankOffset) * std::log(1 + kRankOffset) - kRankOffset * std::log(kRankOffset) - 1;
  return sum / static_cast<double>(own.size()) - expected;
}

std::array<Window, 2> windows_of(const Hash& seed, std::uint64_t sequence, std::uint32_t context) {
  ByteWriter name;
  name.write(sequence);
  Prng random(tagged_hash("muster/windows", {seed.bytes, name.bytes()}));
  const std::uint32_t half = context / 2, length = std::max(1u, context / 8);
  std::array<Window, 2> windows;
  for (std::uint32_t i = 0; i < 2; ++i) {
    const std::uint32_t first =
        i * half + static_cast<std::uint32_t>(random.below(half - length + 1));
    windows[i] = {sequence, first, first + length};
  }
  return windows;
}

ScoreParts score_parts(const WindowProducts& own, const WindowProducts& shared,
                       std::uint32_t context) {
  MUSTER_CHECK(own.groups == shared.groups, "scores of different models");
  const std::size_t groups = shared.groups;
  Residuals of_own(own), of_shared(shared);
  for (std::size_t group = 0; group < groups; ++group) {
    for (const std::size_t parity : {0u, 1u}) {
      auto left = column(shared.fresh, groups, parity, group);
      const auto control = column(shared.control, groups, parity, group);
      const double factor = slope(control, left);
      for (std::size_t i = 0; i < left.size(); ++i) left[i] -= factor * control[i];
      const double deviation = moments(left).deviation;
      if (!(deviation > 0)) continue;  // the payload has nothing there
      for (auto [residuals, products] : {std::pair{&of_own, &own}, {&of_shared, &shared}})
        residuals->add(*products, parity, group, factor, deviation);
    }
  }
  ScoreParts score;
  score.all = rank_score(of_own.of_all(), of_shared.of_all());
  for (std::size_t quarter = 0; quarter < score.quarters.size(); ++quarter) {
    const auto mine = of_own.of_quarter(own.windows, quarter, context);
    const auto others = of_shared.of_quarter(shared.windows, quarter, context);
    score.quarters[quarter] = mine.empty() || others.empty() ? score.all : rank_score(mine, others);
  }
  for (std::size_t group = 0; group < groups; ++group)
    score.groups.push_back(
        rank_score(of_own.of_group(group, groups), of_shared.of_group(group, groups)));
  return score;
}

namespace {

std::vector<double> difference(std::span<const float> before, std::span<const float> after) {
  std::vector<double> drops(before.size());
  for (std::size_t i = 0; i < before.size(); ++i)
    drops[i] = static_cast<double>(before[i]) - static_cast<double>(after[i]);
  return drops;
}

// A payload may throw θ so far that losses are not numbers any more: as bad as can be, and
// comparable.
constexpr float kWorstLoss = 1e6f;

Result<std::vector<float>> losses(protocol::LossProbe& probe,
                                  const compression::SparseUpdate* update, float scale,
                                  std::span<const std::uint64_t> sequences) {
  MUSTER_TRY(auto values, probe.losses(ProbePoint::kPrevious, update, scale, sequences));
  for (float& value : values) value = value < kWorstLoss ? value : kWorstLoss;
  return values;
}

std::vector<Window> windows_of_all(const ScoreTask& task,
                                   std::span<const std::uint64_t> sequences) {
  std::vector<Window> windows;
  for (const std::uint64_t sequence : sequences)
    for (const Window& window : windows_of(task.window_seed, sequence, task.context))
      windows.push_back(window);
  return windows;
}

// A product that is not a number says nothing.
double finite(double product) { return std::isfinite(product) ? product : 0; }

// Windows between two looks at whether to stop: a validator that is out of time must not miss its
// Screen.
constexpr std::size_t kWindowsAtOnce = 8;

// Of each item, over windows that all of them share; nothing when told to stop.
Result<std::vector<WindowProducts>> products_of(protocol::LossProbe& probe, const ScoreTask& task,
                                                std::span<const ScoreItem> items,
                                                const std::vector<Window>& windows,
                                                const std::atomic<bool>& stop) {
  std::vector<const compression::SparseUpdate*> updates{task.aggregate.get()};
  for (const ScoreItem& item : items) {
    updates.push_back(&item.payload->fresh);
    updates.push_back(&item.payload->whole);
  }
  std::vector<WindowProducts> of_items(items.size(), {1, windows, {}, {}});
  for (std::size_t first = 0; first < windows.size(); first += kWindowsAtOnce) {
    if (stop) return std::vector<WindowProducts>{};
    const auto some =
        std::span(windows).subspan(first, std::min(kWindowsAtOnce, windows.size() - first));
    MUSTER_TRY(const auto products, probe.products(some, updates));
    const std::size_t groups = products.size() / some.size() / updates.size();
    for (std::size_t i = 0; i < items.size(); ++i) {
      WindowProducts& to = of_items[i];
      to.groups = groups;
      for (std::size_t w = 0; w < some.size(); ++w) {
        const double* aggregate = products.data() + w * updates.size() * groups;
        const double *fresh = aggregate + (1 + 2 * i) * groups, *whole = fresh + groups;
        for (std::size_t group = 0; group < groups; ++group) {
          to.fresh.push_back(finite(fresh[group]));
          to.control.push_back(
              finite(aggregate[group] - static_cast<double>(items[i].weight) * whole[group]));
        }
      }
    }
  }
  return of_items;
}

// The items in front with the same uid and own sequences, as a simulation has them that tries
// several conducts in one miner's place: their gradients are computed once. At least one.
std::span<const ScoreItem> of_one_place(std::span<const ScoreItem> items) {
  const auto other = std::ranges::find_if(items, [&](const ScoreItem& item) {
    return item.uid != items.front().uid || item.own_sequences != items.front().own_sequences;
  });
  return items.first(static_cast<std::size_t>(other - items.begin()));
}

}  // namespace

Result<std::vector<Measurement>> score(protocol::LossProbe& probe, const ScoreTask& task,
                                       const std::atomic<bool>& stop) {
  std::vector<Measurement> measurements;
  if (stop || task.items.empty()) return measurements;
  MUSTER_CHECK(task.aggregate != nullptr, "scores of a round without an aggregate");
  MUSTER_TRY(const auto before, losses(probe, nullptr, 0, task.shared_sequences));
  const double mean_loss = moments(std::vector<double>(before.begin(), before.end())).mean;
  MUSTER_TRY(const auto shared, products_of(probe, task, task.items,
                                            windows_of_all(task, task.shared_sequences), stop));
  std::vector<WindowProducts> own;  // of item `first` and those behind it
  std::size_t first = 0;
  for (std::size_t i = 0; i < task.items.size() && !stop; ++i) {
    const ScoreItem& item = task.items[i];
    if (i == first + own.size()) {
      first = i;
      const auto alike = of_one_place(std::span(task.items).subspan(i));
      MUSTER_TRY(own,
                 products_of(probe, task, alike, windows_of_all(task, item.own_sequences), stop));
    }
    if (stop) break;
    MUSTER_TRY(const auto after,
               losses(probe, &item.payload->whole, task.probe_step, task.shared_sequences));
    Measurement measured{item.uid, score_parts(own[i - first], shared[i], task.context), 0, 0};
    if (mean_loss > 0) {
      const auto drops = difference(before, after);
      const Moments drop = moments(drops);
      const auto degrees = static_cast<double>(drops.size()) - 1;
      measured.relative_drop = drop.mean / mean_loss;
      measured.drop_error = degrees > 0 ? drop.deviation / std::sqrt(degrees) / mean_loss : 0;
    }
    measurements.push_back(std::move(measured));
  }
  return measurements;
}

}  // namespace muster::verify
