// The median of measurements. Thread safety: pure function.
#pragma once

#include <algorithm>
#include <vector>

namespace muster::verify {

// Of an even number the mean of the two in the middle; 0 of nothing.
[[nodiscard]] inline double median(std::vector<double> values) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  const std::size_t middle = values.size() / 2;
  return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

}  // namespace muster::verify
