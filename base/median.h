// Medians of measurements. Thread safety: pure functions.
#pragma once

#include <algorithm>
#include <vector>

namespace muster {

// Of an even number the mean of the two in the middle; 0 of nothing.
[[nodiscard]] inline double median(std::vector<double> values) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  const std::size_t middle = values.size() / 2;
  return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

// Of an even number the lower of the two in the middle, so that it is one of the values; 0 of nothing.
[[nodiscard]] inline double lower_median(std::vector<double> values) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  return values[(values.size() - 1) / 2];
}

}  // namespace muster
