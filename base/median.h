// Medians of measurements. Thread safety: pure functions.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "base/check.h"

namespace muster {

// Of an even number the mean of the two in the middle; 0 of nothing.
[[nodiscard]] inline double median(std::vector<double> values) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  const std::size_t middle = values.size() / 2;
  return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

// Of an even number the lower of the two in the middle, so that it is one of the values; 0 of
// nothing.
[[nodiscard]] inline double lower_median(std::vector<double> values) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  return values[(values.size() - 1) / 2];
}

// The value that at most a quarter of the others lie below; 0 of nothing.
[[nodiscard]] inline double lower_quartile(std::vector<double> values) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  return values[(values.size() - 1) / 4];
}

// The first value, ascending, up to which the values hold at least half of all weight; of equal
// weights lower_median(). Where all weights are zero each counts as one; `Value()` of nothing.
// REQUIRES: a weight for each value.
template <class Value>
[[nodiscard]] Value weighted_lower_median(std::span<const Value> values,
                                          std::span<const std::uint64_t> weights) {
  MUSTER_CHECK(values.size() == weights.size(), "a weight for each value");
  const bool are_equal =
      std::ranges::all_of(weights, [](std::uint64_t weight) { return weight == 0; });
  std::vector<std::pair<Value, std::uint64_t>> sorted;
  unsigned __int128 all = 0, below = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    sorted.emplace_back(values[i], are_equal ? 1 : weights[i]);
    all += sorted.back().second;
  }
  std::ranges::sort(sorted);
  for (const auto& [value, weight] : sorted) {
    below += weight;
    if (weight > 0 && 2 * below >= all) return value;
  }
  return Value();
}

}  // namespace muster
